import type { GpuSlots, HeldGpus } from '../training/gpu-slots.port.js';
import { type Engine, EngineUnavailable } from './engine.port.js';

/** Jobs hold the GPUs, which says nothing about the engine. */
export class GpusTaken extends EngineUnavailable {}

const LOOK_MS = 500;

/** The GPUs of an engine while it runs. */
export class ReplicaGpus {
  #held: HeldGpus | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly slots: GpuSlots,
    private readonly askedBack: () => Promise<void>,
  ) {}

  /** Waits for them as long as somebody waits for the engine. @throws GpusTaken */
  async take(isAwaited: () => boolean): Promise<readonly number[]> {
    const { wantedGpus: wanted, id } = this.engine;
    if (wanted === 0) return [];
    for (;;) {
      this.#held ??= await this.slots.take(id, wanted, () => void this.askedBack().catch(() => undefined));
      if (this.#held) return this.#held.gpus;
      if (!isAwaited()) throw new GpusTaken('every slot or GPU of this host is taken by a training');
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    await held?.release();
  }
}
