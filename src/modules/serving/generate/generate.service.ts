import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { messageOf } from '../../../kernel/errors.js';
import { leaving } from '../gateway/client-gone.js';
import { EventCutter, eventsOf } from '../gateway/event-cutter.js';
import type { ResolvedModel } from '../gateway/model-names.js';
import type { RelayedReply } from '../gateway/relay.js';
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
import { OwnRequests, type OwnRequest } from './own-requests.js';

const PATH = '/v1/completions';
/** Prompts of a batch that run beside each other. */
const BESIDE = 8;

const adapterOf = ({ target }: ResolvedModel): string | null => (target.kind === 'base' ? null : target.version.name);

/** The original's generation: a prompt in, a text out, by the same replicas as /v1. */
@Injectable()
export class GenerateService {
  constructor(
    private readonly choice: GenerationChoice,
    private readonly requests: OwnRequests,
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
    const request = await this.#request(prompt, { ...options, stream: true }, leaving(response));
    const run = await this.requests.begin(request);
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
      this.requests.ended(run, 200, usage, events);
    }
  }

  async #whole(prompt: string, options: GenerationOptions, signal: AbortSignal): Promise<GenerateReplyDto> {
    const request = await this.#request(prompt, options, signal);
    const { answer, usage } = await this.requests.whole(request);
    return { output: textOf(answer), adapter_id: adapterOf(request.resolved), tokens_generated: usage?.output ?? 0 };
  }

  async #request(
    prompt: string,
    options: GenerationOptions & { stream?: boolean },
    signal: AbortSignal,
  ): Promise<OwnRequest> {
    const resolved = await this.choice.of(prompt, options);
    const { max_tokens, temperature, top_p } = GENERATION_DEFAULTS;
    const fields = {
      prompt,
      max_tokens: options.max_tokens ?? max_tokens,
      temperature: options.temperature ?? temperature,
      top_p: options.top_p ?? top_p,
      ...(options.stream ? { stream: true } : {}),
    };
    return { resolved, path: PATH, fields, signal };
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
