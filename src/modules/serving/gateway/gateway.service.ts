import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { Settings } from '../../../config/settings.js';
import { AppError } from '../../../kernel/errors.js';
import type { AuthenticatedRequest } from '../../security/principal.port.js';
import { AnswerPipe, type PipedAnswer } from './answer-pipe.js';
import { AnswerTimes } from './answer-times.js';
import { BodyMemory } from './body-memory.js';
import { ClientGone, leaving } from './client-gone.js';
import { engineError } from './engine-error.js';
import { GatewayMetrics } from './gateway-metrics.js';
import { IncomingBody } from './incoming-body.js';
import { asHeader, askedModel, type ModelChoice } from './model-choice.js';
import { ModelResolver } from './model-resolver.js';
import { withModel } from './model-rewriting.js';
import { promptText } from './prompt-text.js';
import { Relay, type RelayedReply } from './relay.js';
import { Tracing, type AnswerSpan } from './tracing.port.js';
import { usageIn } from './usage.js';

/** Longest body whose words `auto` reads. */
const LONGEST_ROUTED = 1024 * 1024;
const LONGEST_KEY = 256;
const STICKY = 'x-clara-sticky-key';
/** As nginx counts a client that left. */
const LEFT = 499;

/** What the paths do, as the GenAI conventions name it. */
const OPERATIONS = { '/v1/chat/completions': 'chat', '/v1/completions': 'text_completion' } as const;
export type AnswerPath = keyof typeof OPERATIONS;

/** One request on its way through. */
interface Passage {
  request: AuthenticatedRequest;
  response: Response;
  path: AnswerPath;
  body: IncomingBody;
  times: AnswerTimes;
  signal: AbortSignal;
  choice: ModelChoice | undefined;
  span: AnswerSpan | undefined;
  attempts: number;
}

const NOTHING: PipedAnswer = { outcome: 'ok', usage: undefined, events: 0 };

/** Requests for an answer: which model is meant, which replica answers, and the answer as it comes. */
@Injectable()
export class GatewayService {
  constructor(
    private readonly models: ModelResolver,
    private readonly relay: Relay,
    private readonly settings: Settings,
    private readonly metrics: GatewayMetrics,
    private readonly tracing: Tracing,
    private readonly memory: BodyMemory,
  ) {}

  /** Answers by itself. @throws AppError while nothing has been answered */
  async answer(request: AuthenticatedRequest, response: Response, path: AnswerPath): Promise<void> {
    const passage = this.#passage(request, response, path);
    this.metrics.began();
    let answer = NOTHING;
    let failure: unknown;
    try {
      answer = await this.#answered(passage);
    } catch (error) {
      failure = error;
      if (!(error instanceof ClientGone)) throw error;
    } finally {
      passage.body.release();
      this.#count(passage, answer, failure);
    }
  }

  #passage(request: AuthenticatedRequest, response: Response, path: AnswerPath): Passage {
    const { maxBodyBytes: maxBytes, keepBytes } = this.settings.gateway;
    const signal = leaving(response);
    const body = new IncomingBody(request, { maxBytes, keepBytes, memory: this.memory });
    const times = new AnswerTimes();
    return { request, response, path, body, times, signal, choice: undefined, span: undefined, attempts: 1 };
  }

  async #answered(passage: Passage): Promise<PipedAnswer> {
    const { body, times } = passage;
    await times.waiting(body.modelKnown());
    const choice = await this.#choose(passage);
    passage.choice = choice;
    passage.span = this.#span(passage, choice);
    const relayed = await this.#send(passage, choice);
    // An answer has begun: nothing is sent again.
    body.release();
    passage.attempts = relayed.attempts;
    times.first();
    return this.#reply(passage, relayed, choice);
  }

  #choose({ request, body, times }: Passage): Promise<ModelChoice> {
    const sticky = request.get(STICKY)?.slice(0, LONGEST_KEY);
    const key = async (): Promise<string | undefined> => {
      if (sticky !== undefined) return sticky;
      await times.waiting(body.complete());
      const user = body.value('user');
      return typeof user === 'string' ? user.slice(0, LONGEST_KEY) : undefined;
    };
    const prompt = async (): Promise<string> => {
      await times.waiting(body.complete());
      if (body.size > LONGEST_ROUTED)
        throw new AppError('bad_request', 'model: "auto" reads bodies up to 1 MB; name a model', [
          { path: 'model', message: 'name a model for a body this long' },
        ]);
      return promptText(body.json());
    };
    return this.models.choose({ model: askedModel(body.value('model')), key, prompt });
  }

  #span({ request, path }: Passage, { resolved }: ModelChoice): AnswerSpan {
    const operation = OPERATIONS[path];
    const attributes = {
      'gen_ai.operation.name': operation,
      'gen_ai.provider.name': 'clara',
      'gen_ai.request.model': resolved.model,
    };
    return this.tracing.start(`${operation} ${resolved.model}`, attributes, request.get('traceparent'));
  }

  #send({ request, path, body, signal, times, span }: Passage, { resolved }: ModelChoice): Promise<RelayedReply> {
    const traced = span?.traceparent === undefined ? {} : { traceparent: span.traceparent };
    const headers = { 'content-type': 'application/json', 'x-request-id': request.id ?? '', ...traced };
    return this.relay.send({
      resolved,
      path,
      headers,
      body,
      key: request.get(STICKY)?.slice(0, LONGEST_KEY),
      signal,
      times,
    });
  }

  async #reply(passage: Passage, { lease, reply }: RelayedReply, choice: ModelChoice): Promise<PipedAnswer> {
    const { response, times } = passage;
    const { resolved } = choice;
    const model = lease.engineName === resolved.model ? undefined : resolved.model;
    let answer: PipedAnswer = { ...NOTHING, outcome: 'failed' };
    try {
      this.#head(passage, lease.replica, choice);
      if (reply.isStream) {
        response.writeHead(200, { 'content-type': reply.contentType, 'x-accel-buffering': 'no' });
        answer = await new AnswerPipe(reply, response, { model, silentMs: this.settings.gateway.silentMs }).run();
      } else {
        sendWhole(response, reply, model);
        answer = { outcome: reply.status >= 500 ? 'failed' : 'ok', usage: usageIn(reply.first), events: 0 };
      }
      times.last();
      return answer;
    } finally {
      lease.release(answer.outcome);
    }
  }

  #head({ response, times }: Passage, replica: string, { asked, route }: ModelChoice): void {
    const own = times.own();
    this.metrics.overhead(own);
    response.setHeader('x-clara-requested-model', asHeader(asked));
    response.setHeader('x-clara-replica', replica);
    response.setHeader('x-clara-overhead-ms', own.toFixed(3));
    if (route) response.setHeader('x-clara-route', asHeader(JSON.stringify(route)));
  }

  #count({ response, choice, span, times, attempts }: Passage, answer: PipedAnswer, failure: unknown): void {
    const { usage, events, outcome } = answer;
    const hasLeft = failure instanceof ClientGone || outcome === 'gone';
    const status = hasLeft ? LEFT : failure instanceof AppError ? failure.status : failure ? 500 : response.statusCode;
    this.metrics.ended({ resolved: choice?.resolved, status, usage, events, attempts, times });
    const tokens = usage
      ? { 'gen_ai.usage.input_tokens': usage.input, 'gen_ai.usage.output_tokens': usage.output }
      : {};
    const error = hasLeft
      ? 'client_gone'
      : failure
        ? String(status)
        : outcome === 'failed'
          ? 'engine_failed'
          : undefined;
    span?.end({ 'gen_ai.response.model': choice?.resolved.model ?? '', ...tokens }, error);
  }
}

/** An answer that is no stream, or the engine's refusal. */
function sendWhole(response: Response, reply: RelayedReply['reply'], model: string | undefined): void {
  const { status, first, contentType } = reply;
  if (status < 400) {
    const body = model === undefined ? first : withModel(first, model);
    response.writeHead(status, { 'content-type': contentType, 'content-length': body.length }).end(body);
    return;
  }
  const { status: told, error } = engineError(status, first);
  const body = Buffer.from(JSON.stringify({ error }));
  response.writeHead(told, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}
