import { Injectable } from '@nestjs/common';
import { AppError } from '../../../kernel/errors.js';
import { AnswerTimes } from '../gateway/answer-times.js';
import { engineError } from '../gateway/engine-error.js';
import { GatewayMetrics } from '../gateway/gateway-metrics.js';
import type { ResolvedModel } from '../gateway/model-names.js';
import { Relay, type RelayedReply } from '../gateway/relay.js';
import { usageIn, type Usage } from '../gateway/usage.js';
import { WholeBody } from './whole-body.js';

/** A request whose body is made here. */
export interface OwnRequest {
  resolved: ResolvedModel;
  /** Such as `/v1/completions`. */
  path: string;
  /** Of the body, without its model. */
  fields: Readonly<Record<string, unknown>>;
  signal: AbortSignal;
}

/** An answer that has begun; whoever has it releases its lease and tells its end. */
export interface OwnRun {
  resolved: ResolvedModel;
  times: AnswerTimes;
  relayed: RelayedReply;
}

/** Requests of the application itself, by the same replicas as /v1, and counted with them. */
@Injectable()
export class OwnRequests {
  constructor(
    private readonly relay: Relay,
    private readonly metrics: GatewayMetrics,
  ) {}

  /** @throws AppError also where the engine refuses */
  async begin({ resolved, path, fields, signal }: OwnRequest): Promise<OwnRun> {
    const times = new AnswerTimes();
    const headers = { 'content-type': 'application/json' };
    this.metrics.began();
    const request = { resolved, path, headers, body: new WholeBody(fields), key: undefined, signal, times };
    const relayed = await this.relay.send(request).catch((error: unknown) => {
      this.metrics.ended({
        resolved,
        status: error instanceof AppError ? error.status : 499,
        usage: undefined,
        events: 0,
        attempts: 1,
        times,
      });
      throw error;
    });
    times.first();
    const run = { resolved, times, relayed };
    if (relayed.reply.status >= 400) this.#refused(run);
    return run;
  }

  /** All of an answer that is no stream. @throws AppError */
  async whole(request: OwnRequest): Promise<{ answer: unknown; usage: Usage | undefined }> {
    const run = await this.begin(request);
    const { reply, lease } = run.relayed;
    lease.release('ok');
    const usage = usageIn(reply.first);
    this.ended(run, reply.status, usage, 0);
    try {
      return { answer: JSON.parse(reply.first.toString()), usage };
    } catch {
      throw new AppError('bad_gateway', 'The answer of the engine is not JSON');
    }
  }

  ended({ resolved, times, relayed }: OwnRun, status: number, usage: Usage | undefined, events: number): void {
    times.last();
    this.metrics.ended({ resolved, status, usage, events, attempts: relayed.attempts, times });
  }

  #refused(run: OwnRun): never {
    const { reply, lease } = run.relayed;
    lease.release(reply.status >= 500 ? 'failed' : 'ok');
    this.ended(run, reply.status, undefined, 0);
    const { status, error } = engineError(reply.status, reply.first);
    throw new AppError(status < 500 ? 'bad_request' : 'bad_gateway', error.message);
  }
}
