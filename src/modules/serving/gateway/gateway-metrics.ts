import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ResolvedModel } from './model-names.js';
import type { AnswerTimes } from './answer-times.js';
import type { Usage } from './usage.js';

const labelNames = ['model', 'adapter'] as const;
type Labels = Record<(typeof labelNames)[number], string>;

const OWN_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const FIRST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const TOKEN_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** How one request ended. */
export interface AnsweredRequest {
  /** Undefined where it came to no model. */
  resolved: ResolvedModel | undefined;
  status: number;
  usage: Usage | undefined;
  events: number;
  attempts: number;
  times: AnswerTimes;
}

/** Base and adapter; both empty where a request came to none, so that mistyped names make no series. */
const labelsOf = (resolved: ResolvedModel | undefined): Labels => {
  if (!resolved) return { model: '', adapter: '' };
  const { target, model } = resolved;
  return target.kind === 'base' ? { model, adapter: '' } : { model: target.version.base, adapter: target.version.name };
};

/** What the gateway counts, by base model and adapter. */
@Injectable()
export class GatewayMetrics {
  readonly #requests: Counter<'model' | 'adapter' | 'code'>;
  readonly #tokens: Counter<'model' | 'adapter' | 'kind'>;
  readonly #retries: Counter<'model' | 'adapter'>;
  readonly #queue: Histogram<'model' | 'adapter'>;
  readonly #first: Histogram<'model' | 'adapter'>;
  readonly #perToken: Histogram<'model' | 'adapter'>;
  readonly #own: Histogram;
  readonly #running: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    const histogram = (name: string, help: string, buckets: number[]) =>
      new Histogram({ name: `clara_gateway_${name}_seconds`, help, labelNames, buckets, registers });
    this.#requests = new Counter({
      name: 'clara_gateway_requests_total',
      help: 'Requests for an answer, by HTTP status; 499: the client left.',
      labelNames: [...labelNames, 'code'],
      registers,
    });
    this.#tokens = new Counter({
      name: 'clara_gateway_tokens_total',
      help: 'Tokens by the usage that engines report; of a stream without one its events.',
      labelNames: [...labelNames, 'kind'],
      registers,
    });
    this.#retries = new Counter({
      name: 'clara_gateway_retries_total',
      help: 'Attempts beyond the first.',
      labelNames,
      registers,
    });
    this.#queue = histogram('queue', 'Wait for a replica that holds the adapter.', FIRST_SECONDS);
    this.#first = histogram('time_to_first_token', 'From the request to the first bytes of its answer.', FIRST_SECONDS);
    this.#perToken = histogram('time_per_output_token', 'Time between tokens of streams.', TOKEN_SECONDS);
    this.#own = new Histogram({
      name: 'clara_gateway_overhead_seconds',
      help: 'The own time of the gateway before the first bytes.',
      buckets: OWN_SECONDS,
      registers,
    });
    this.#running = new Gauge({
      name: 'clara_gateway_running_requests',
      help: 'Requests that are being answered.',
      registers,
    });
  }

  began(): void {
    this.#running.inc();
  }

  overhead(ms: number): void {
    this.#own.observe(ms / 1000);
  }

  ended({ resolved, status, usage, events, attempts, times }: AnsweredRequest): void {
    const labels = labelsOf(resolved);
    this.#running.dec();
    this.#requests.inc({ ...labels, code: String(status) });
    if (!resolved) return;
    this.#queue.observe(labels, times.queued / 1000);
    if (attempts > 1) this.#retries.inc(labels, attempts - 1);
    if (times.firstAt === 0) return;
    this.#first.observe(labels, (times.firstAt - times.began) / 1000);
    const output = usage?.output ?? events;
    if (usage) this.#tokens.inc({ ...labels, kind: 'input' }, usage.input);
    if (output > 0) this.#tokens.inc({ ...labels, kind: 'output' }, output);
    if (output > 1 && times.lastAt > times.firstAt)
      this.#perToken.observe(labels, (times.lastAt - times.firstAt) / 1000 / (output - 1));
  }
}
