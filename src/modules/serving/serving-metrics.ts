import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface ReplicaFigures {
  replica: string;
  isUp: boolean;
  running: number;
  slots: number;
  held: number;
  drift: number;
}

const LOAD_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const SWAP_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Figures of the replicas; of this process. */
@Injectable()
export class ServingMetrics {
  readonly #loads: Counter<'replica' | 'outcome'>;
  readonly #loadSeconds: Histogram<'replica'>;
  readonly #evictions: Counter<'replica'>;
  readonly #drift: Counter<'replica' | 'kind'>;
  readonly #starts: Counter<'replica' | 'outcome'>;
  readonly #swaps: Counter<'alias'>;
  readonly #swapSeconds: Histogram;

  constructor(private readonly registry: Registry) {
    const registers = [registry];
    const counter = <T extends string>(name: string, help: string, labelNames: T[]) =>
      new Counter<T>({ name, help, labelNames, registers });
    this.#loads = counter('serving_adapter_loads_total', 'Adapters that were loaded, by outcome.', [
      'replica',
      'outcome',
    ]);
    this.#evictions = counter('serving_adapter_evictions_total', 'Adapters that made room for others.', ['replica']);
    this.#drift = counter(
      'serving_adapter_drift_total',
      'Differences found between what a replica holds and what it should.',
      ['replica', 'kind'],
    );
    this.#starts = counter('serving_engine_starts_total', 'Starts of engines, by outcome.', ['replica', 'outcome']);
    this.#swaps = counter('serving_adapter_swaps_total', 'Aliases that were moved to another version.', ['alias']);
    this.#loadSeconds = new Histogram({
      name: 'serving_adapter_load_seconds',
      help: 'Time to load an adapter and to prove that it answers.',
      labelNames: ['replica'],
      buckets: LOAD_SECONDS,
      registers,
    });
    this.#swapSeconds = new Histogram({
      name: 'serving_adapter_swap_seconds',
      help: 'Time from the order to promote until the alias means the new version, loaded.',
      buckets: SWAP_SECONDS,
      registers,
    });
  }

  loaded(replica: string, outcome: 'ok' | 'refused' | 'failed', ms: number): void {
    this.#loads.inc({ replica, outcome });
    if (outcome === 'ok') this.#loadSeconds.observe({ replica }, ms / 1000);
  }

  evicted(replica: string): void {
    this.#evictions.inc({ replica });
  }

  drifted(replica: string, kind: string): void {
    this.#drift.inc({ replica, kind });
  }

  started(replica: string, outcome: 'ok' | 'failed'): void {
    this.#starts.inc({ replica, outcome });
  }

  swapped(alias: string, ms: number): void {
    this.#swaps.inc({ alias });
    this.#swapSeconds.observe(ms / 1000);
  }

  /** Reads the present state whenever the page of metrics is asked for. */
  follow(look: () => { replicas: readonly ReplicaFigures[]; waiting: number }): void {
    const registers = [this.registry];
    const gauge = (name: string, help: string, value: (figures: ReplicaFigures) => number) =>
      new Gauge({
        name,
        help,
        labelNames: ['replica'],
        registers,
        collect() {
          for (const figures of look().replicas) this.set({ replica: figures.replica }, value(figures));
        },
      });
    gauge('serving_replica_up', '1 where the replica takes requests.', ({ isUp }) => (isUp ? 1 : 0));
    gauge('serving_running_requests', 'Answers that run.', ({ running }) => running);
    gauge('serving_adapter_slots', 'Adapters that the replica can hold.', ({ slots }) => slots);
    gauge('serving_adapters_loaded', 'Adapters that the replica holds.', ({ held }) => held);
    gauge(
      'serving_adapter_drift',
      'Differences between what the replica holds and what it should.',
      ({ drift }) => drift,
    );
    new Gauge({
      name: 'serving_waiting_requests',
      help: 'Requests that wait for a replica or an adapter.',
      registers,
      collect() {
        this.set(look().waiting);
      },
    });
  }
}
