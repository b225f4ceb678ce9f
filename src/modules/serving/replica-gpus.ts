import type { GpuSlots, HeldGpus } from '../training/gpu-slots.port.js';
import { type Engine, EngineUnavailable } from './engine.port.js';

/** The GPUs of an engine while it runs. */
export class ReplicaGpus {
  #held: HeldGpus | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly slots: GpuSlots,
    private readonly askedBack: () => Promise<void>,
  ) {}

  /** @throws EngineUnavailable while jobs hold them */
  async take(): Promise<readonly number[]> {
    const { wantedGpus: wanted, id } = this.engine;
    if (wanted === 0) return [];
    this.#held ??= await this.slots.take(id, wanted, () => void this.askedBack().catch(() => undefined));
    if (!this.#held) throw new EngineUnavailable('every slot or GPU of this host is taken by a training');
    return this.#held.gpus;
  }

  async release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    await held?.release();
  }
}
