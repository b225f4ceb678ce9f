import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { AppError, messageOf } from '../../../kernel/errors.js';
import { AnswerTimes } from '../gateway/answer-times.js';
import { leaving } from '../gateway/client-gone.js';
import { engineError } from '../gateway/engine-error.js';
import { EventCutter, eventsOf } from '../gateway/event-cutter.js';
import { GatewayMetrics } from '../gateway/gateway-metrics.js';
import type { ResolvedModel } from '../gateway/model-names.js';
import { Relay, type RelayedReply } from '../gateway/relay.js';
import { usageIn, type Usage } from '../gateway/usage.js';
import {
  GENERATION_DEFAULTS,
  type BatchEntryDto,
  type GenerateBatchDto,
  type GenerateBatchReplyDto,
  type GenerateDto,
  type GenerateReplyDto,
  type GenerationOptions,
  type RouteReplyDto,
} from './generate.dto.js';
import { dataOf, errorOf, textOf } from './generated-text.js';
import { GenerationChoice } from './generation.js';
import { WholeBody } from './whole-body.js';

const PATH = '/v1/completions';
/** Prompts of a batch that run beside each other. */
const BESIDE = 8;

interface Run {
  resolved: ResolvedModel;
  times: AnswerTimes;
  relayed: RelayedReply;
}

const adapterOf = ({ target }: ResolvedModel): string | null => (target.kind === 'base' ? null : target.version.name);

/** The original's generation: a prompt in, a text out, by the same replicas as /v1. */
@Injectable()
export class GenerateService {
  constructor(
    private readonly choice: GenerationChoice,
    private readonly relay: Relay,
    private readonly metrics: GatewayMetrics,
  ) {}

  async route(prompt: string): Promise<RouteReplyDto> {
    return (await this.choice.route(prompt)).decision;
  }

  generate({ prompt, ...options }: GenerateDto, response: Response): Promise<GenerateReplyDto> {
    return this.#whole(prompt, options, leaving(response));
  }

  /** One prompt that fails fails alone. */
  async batch({ prompts, ...options }: GenerateBatchDto, response: Response): Promise<GenerateBatchReplyDto> {
    const signal = leaving(response);
    const results: BatchEntryDto[] = [];
    const waiting = [...prompts.entries()];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [index, prompt] = next;
        results[index] = await this.#whole(prompt, options, signal).then(
          ({ output, adapter_id, tokens_generated }) => ({ output, adapter_id, tokens_generated, error: null }),
          (error: unknown) => ({ output: null, adapter_id: null, tokens_generated: 0, error: messageOf(error) }),
        );
      }
    };
    await Promise.all(Array.from({ length: BESIDE }, work));
    return { results };
  }

  /** Events `{token, adapter_id}`, at the end `{done, adapter_id, tokens_generated}`, or `{error}`. */
  async stream({ prompt, ...options }: GenerateDto, response: Response): Promise<void> {
    const run = await this.#begin(prompt, { ...options, stream: true }, leaving(response));
    const { reply, lease } = run.relayed;
    const adapter_id = adapterOf(run.resolved);
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    });
    const tell = (data: object): void => void response.write(`data: ${JSON.stringify(data)}\n\n`);
    let usage: Usage | undefined;
    let events = 0;
    try {
      for await (const piece of wholePieces(reply)) {
        usage = usageIn(piece) ?? usage;
        for (const token of tokensOf(piece)) {
          events += 1;
          tell({ token, adapter_id });
        }
      }
      tell({ done: true, adapter_id, tokens_generated: usage?.output ?? events });
      lease.release('ok');
    } catch (error) {
      tell({ error: messageOf(error) });
      lease.release(response.destroyed ? 'gone' : 'failed');
    } finally {
      response.end();
      this.#ended(run, 200, usage, events);
    }
  }

  async #whole(prompt: string, options: GenerationOptions, signal: AbortSignal): Promise<GenerateReplyDto> {
    const run = await this.#begin(prompt, options, signal);
    const { reply, lease } = run.relayed;
    lease.release(reply.status >= 500 ? 'failed' : 'ok');
    const usage = usageIn(reply.first);
    this.#ended(run, reply.status, usage, 0);
    const output = textOf(JSON.parse(reply.first.toString()) as unknown);
    return { output, adapter_id: adapterOf(run.resolved), tokens_generated: usage?.output ?? 0 };
  }

  async #begin(prompt: string, options: GenerationOptions & { stream?: boolean }, signal: AbortSignal): Promise<Run> {
    const times = new AnswerTimes();
    const resolved = await this.choice.of(prompt, options);
    const { max_tokens, temperature, top_p } = GENERATION_DEFAULTS;
    const asked = {
      prompt,
      max_tokens: options.max_tokens ?? max_tokens,
      temperature: options.temperature ?? temperature,
      top_p: options.top_p ?? top_p,
    };
    const body = new WholeBody({ ...asked, ...(options.stream ? { stream: true } : {}) });
    const headers = { 'content-type': 'application/json' };
    this.metrics.began();
    const request = { resolved, path: PATH, headers, body, key: undefined, signal, times };
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

  #refused(run: Run): never {
    const { reply, lease } = run.relayed;
    lease.release(reply.status >= 500 ? 'failed' : 'ok');
    this.#ended(run, reply.status, undefined, 0);
    const { status, error } = engineError(reply.status, reply.first);
    throw new AppError(status < 500 ? 'bad_request' : 'bad_gateway', error.message);
  }

  #ended({ resolved, times, relayed }: Run, status: number, usage: Usage | undefined, events: number): void {
    times.last();
    this.metrics.ended({ resolved, status, usage, events, attempts: relayed.attempts, times });
  }
}

/** Whole events of a stream that has begun. @throws what breaks it off */
async function* wholePieces({ first, rest }: RelayedReply['reply']): AsyncGenerator<Buffer> {
  const cutter = new EventCutter();
  yield cutter.push(first);
  if (!rest.readableEnded) for await (const piece of rest as AsyncIterable<Buffer>) yield cutter.push(piece);
}

/** The texts of the events in a piece. @throws Error with what an error event says */
function tokensOf(piece: Buffer): string[] {
  return eventsOf(piece).flatMap((event) => {
    const data = dataOf(event);
    if (!data) return [];
    const error = errorOf(data);
    if (error !== undefined) throw new Error(error);
    const text = textOf(data);
    return text === '' ? [] : [text];
  });
}
