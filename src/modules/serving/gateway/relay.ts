import { Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { AppError, messageOf } from '../../../kernel/errors.js';
import { Log } from '../../../kernel/log.js';
import { EngineUnavailable } from '../engine.port.js';
import { AnswerEnded, NotServable, Overloaded, WaitedTooLong, type Lease } from '../lease.js';
import { ReplicaPool } from '../replica-pool.js';
import type { AnswerTimes } from './answer-times.js';
import { begun, type BegunReply } from './first-piece.js';
import { ClientGone } from './client-gone.js';
import type { OutgoingBody } from './incoming-body.js';
import type { ResolvedModel } from './model-names.js';

const MOST_ATTEMPTS = 3;
const RETRY_SECONDS = '5';
/** Another replica may do better; 404 is an adapter that this one has lost. */
const WORTH_RETRYING = new Set([404, 429, 502, 503, 504]);

/** What can be sent, once or again. */
export interface Sendable {
  readonly isKept: boolean;
  /** What went wrong with it while it was sent. */
  readonly problem: Error | undefined;
  out(model: string): OutgoingBody;
}

export interface RelayedRequest {
  resolved: ResolvedModel;
  /** Such as `/v1/chat/completions`. */
  path: string;
  headers: Record<string, string>;
  body: Sendable;
  key: string | undefined;
  /** Aborted with ClientGone where the client leaves. */
  signal: AbortSignal;
  times: AnswerTimes;
}

/** A reply that has begun, and the lease that it runs under. */
export interface RelayedReply {
  lease: Lease;
  reply: BegunReply;
  attempts: number;
}

/** It answered, and said that it cannot now. */
class Unable extends EngineUnavailable {
  constructor(
    readonly status: number,
    why: string,
  ) {
    super(`it answered ${status}: ${why}`);
  }
}

/** Finds a replica and asks it; tries others as long as nothing of an answer has come. */
@Injectable()
export class Relay {
  constructor(
    private readonly pool: ReplicaPool,
    private readonly settings: Settings,
    private readonly log: Log,
  ) {}

  /** @throws AppError as the client is told; ClientGone */
  async send(request: RelayedRequest): Promise<RelayedReply> {
    const failed = new Set<string>();
    for (let attempt = 1; ; attempt += 1) {
      const lease = await this.#lease(request, failed);
      try {
        const reply = await this.#ask(lease, request);
        if (!WORTH_RETRYING.has(reply.status)) return { lease, reply, attempts: attempt };
        reply.rest.destroy();
        throw new Unable(reply.status, reply.first.toString('utf8', 0, 200));
      } catch (error) {
        this.#failed(lease, request, error);
        if (attempt >= MOST_ATTEMPTS || !request.body.isKept || !this.pool.mayRetry()) throw unanswered(error);
        failed.add(lease.replica);
      }
    }
  }

  async #ask(lease: Lease, { path, headers, body, signal, times }: RelayedRequest): Promise<BegunReply> {
    const { body: content, length } = body.out(lease.engineName);
    const sized = length === undefined ? {} : { 'content-length': String(length) };
    const work = lease
      .send({ method: 'POST', path, headers: { ...headers, ...sized }, body: content, signal })
      .then((reply) => begun(reply, this.settings.gateway.silentMs));
    return times.waiting(work);
  }

  /** What is nobody's fault, or the client's own, ends it here. */
  #failed(lease: Lease, { signal, body }: RelayedRequest, error: unknown): void {
    const isClients = signal.aborted || body.problem !== undefined;
    lease.release(isClients ? 'gone' : 'failed');
    if (signal.aborted) throw signal.reason;
    if (body.problem) throw body.problem;
    this.log.warn('an engine failed before the first token', { replica: lease.replica, error: messageOf(error) });
  }

  /** Replicas that failed come into question again where there is no other: one of ours is started anew. */
  async #lease(request: RelayedRequest, failed: ReadonlySet<string>): Promise<Lease> {
    try {
      return await this.#waited(request, failed);
    } catch (error) {
      const isOnlyOne = failed.size > 0 && (error instanceof EngineUnavailable || error instanceof NotServable);
      if (!isOnlyOne) throw asAnswered(error, this.settings.gateway.waitMs);
    }
    return this.#waited(request, new Set()).catch((error: unknown) => {
      throw asAnswered(error, this.settings.gateway.waitMs);
    });
  }

  #waited({ resolved, key, signal, times }: RelayedRequest, except: ReadonlySet<string>): Promise<Lease> {
    const { waitMs } = this.settings.gateway;
    const options = { signal, waitMs, except, ...(key === undefined ? {} : { key }) };
    return times.queueing(this.pool.lease(resolved.target, options));
  }
}

/** Why there is no replica, as the client is told. */
function asAnswered(error: unknown, waitMs: number): unknown {
  const again = { 'Retry-After': RETRY_SECONDS };
  if (error instanceof Overloaded) return new AppError('rate_limited', error.message, [], again);
  if (error instanceof EngineUnavailable) return new AppError('unavailable', error.message, [], again);
  if (error instanceof NotServable)
    return new AppError('not_found', error.message, [
      { path: 'model', message: error.message, code: 'model_not_servable' },
    ]);
  if (error instanceof WaitedTooLong)
    return new AppError(
      'timed_out',
      `No engine was ready within ${waitMs / 1000} s; it may still start, try again`,
      [],
      again,
    );
  return error;
}

/** Why nothing came of it at any replica. */
function unanswered(error: unknown): unknown {
  if (error instanceof ClientGone || error instanceof AppError) return error;
  const again = { 'Retry-After': RETRY_SECONDS };
  if (error instanceof Unable && error.status === 429)
    return new AppError('rate_limited', 'Every engine has as many requests as it takes; try again', [], again);
  const why =
    error instanceof AnswerEnded ? error.message : `The engine broke off before its answer began: ${messageOf(error)}`;
  return new AppError('unavailable', why, [], again);
}
