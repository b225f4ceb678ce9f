import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BackgroundLoop } from '../../kernel/background-loop.js';
import { Wakeups } from '../../kernel/wakeups.js';
import { AdapterCatalog } from '../adapters/adapter-catalog.port.js';
import { HostTrainings } from '../training/host-trainings.port.js';
import type { Drift } from './drift.js';
import { ReplicaPool } from './replica-pool.js';
import { ReplicaTending } from './replica-tending.js';
import { ServingTools } from './serving-tools.js';
import { WANTED_CHANNEL } from './wanted.store.js';
import { WantedAdapters } from './wanted-adapters.js';

const TICK_MS = 1000;
const REFRESH_MS = 15_000;

/** Converges every replica to the wanted set, again and again. */
@Injectable()
export class Reconciler implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #tendings: readonly ReplicaTending[];
  readonly #loops: readonly BackgroundLoop[];
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #off: (() => void)[] = [];

  constructor(
    pool: ReplicaPool,
    private readonly wanted: WantedAdapters,
    private readonly catalog: AdapterCatalog,
    private readonly wakeups: Wakeups,
    trainings: HostTrainings,
    tools: ServingTools,
  ) {
    const { settings, clock, log, metrics } = tools;
    const { threads, idleMs } = settings.serving;
    const parts = {
      wanted,
      metrics,
      log,
      idleMs,
      now: () => clock.now(),
      threads: () => threadsBeside(threads, trainings.onCores()),
      unload: (versionId: string) => pool.unload(versionId),
    };
    this.#tendings = pool.replicas.map((replica) => new ReplicaTending(replica, parts));
    this.#loops = [
      new BackgroundLoop('wanted adapters', TICK_MS, () => this.#refresh(clock.now()), log),
      // Each has its own: one that hangs must not keep the others from being tended.
      ...this.#tendings.map(
        (tending) => new BackgroundLoop(`replica ${tending.replica.id}`, TICK_MS, () => tending.round(), log),
      ),
    ];
    metrics.follow(() => ({ replicas: this.#figures(), waiting: pool.waiting }));
  }

  driftOf(replica: string): readonly Drift[] {
    return this.#tendings.find((tending) => tending.replica.id === replica)?.drift ?? [];
  }

  /** Looks at every replica now. */
  hurry(): void {
    for (const tending of this.#tendings) tending.hurry();
    for (const loop of this.#loops) loop.ring();
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.wanted.refresh();
    const look = (): void => this.hurry();
    // What others wrote is read first; what was written here is known already.
    const read = (): void => {
      this.#refreshedAt = Number.NEGATIVE_INFINITY;
      this.hurry();
    };
    this.#off = [this.catalog.onChange(look), this.wanted.onChange(look), this.wakeups.on(WANTED_CHANNEL, read)];
    for (const loop of this.#loops) loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    for (const off of this.#off) off();
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }

  async #refresh(now: number): Promise<void> {
    if (now - this.#refreshedAt >= REFRESH_MS) {
      this.#refreshedAt = now;
      await this.wanted.refresh();
    }
    await this.wanted.flush();
  }

  #figures() {
    return this.#tendings.map(({ replica, drift }) => ({
      replica: replica.id,
      isUp: replica.isReady,
      running: replica.running,
      slots: replica.slots.count,
      held: replica.slots.all.length,
      drift: drift.length,
    }));
  }
}

/** A training has the cores to itself but for one share in turn: both go on, and neither starves. */
export const threadsBeside = (threads: number, trainings: number): number =>
  Math.max(1, Math.floor(threads / (trainings + 1)));
