import { randomUUID } from 'node:crypto';
import { pipeline, Readable, Transform } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { EngineUnavailable, type EngineReply } from '../../modules/serving/engine.port.js';
import type { RawCompletion } from './ollama-completion.js';

interface Chance {
  token: string;
  logprob: number;
}

/** As /api/generate answers, in one piece or in many; probabilities since 0.12.11. */
interface Generated {
  error?: unknown;
  response?: string;
  done?: boolean;
  done_reason?: string;
  prompt_eval_count?: number;
  eval_count?: number;
  logprobs?: (Chance & { top_logprobs?: Chance[] })[];
}

/** What Ollama generates, as OpenAI tells completions (https://platform.openai.com/docs/api-reference/completions). */
export async function asCompletion(asked: RawCompletion, reply: EngineReply): Promise<EngineReply> {
  const head = { id: `cmpl-${randomUUID()}`, object: 'text_completion', created: Math.floor(Date.now() / 1000) };
  const shape = new Completion({ ...head, model: asked.model }, asked);
  if (reply.status === 200 && asked.isStream) {
    const headers = { 'content-type': 'text/event-stream; charset=utf-8' };
    return { status: 200, headers, body: pipeline(reply.body, new Events(shape), () => undefined) };
  }
  const generated = await generatedIn(reply.body);
  if (generated.error === undefined && reply.status === 200) return jsonReply(200, shape.whole(generated));
  // It tells errors of a work that has begun with status 200.
  const message = typeof generated.error === 'string' ? generated.error : `Ollama answers ${reply.status}`;
  const status = reply.status === 200 ? 500 : reply.status;
  const type = status < 500 ? 'invalid_request_error' : 'api_error';
  return jsonReply(status, { error: { message, type, param: null, code: null } });
}

class Completion {
  constructor(
    private readonly head: object,
    private readonly asked: RawCompletion,
  ) {}

  whole(generated: Generated): object {
    return { ...this.head, choices: [this.#choice(generated)], usage: usageOf(generated) };
  }

  /** Events of one piece. */
  events(generated: Generated): object[] {
    const choice = { ...this.head, choices: [this.#choice(generated)] };
    if (!generated.done || !this.asked.wantsUsage) return [choice];
    return [choice, { ...this.head, choices: [], usage: usageOf(generated) }];
  }

  #choice({ response = '', done = false, done_reason: reason, logprobs = [] }: Generated): object {
    const { isProbe, hasChances } = this.asked;
    const [likeliest] = logprobs[0]?.top_logprobs ?? [];
    const chances = isProbe && likeliest ? logprobs.map((one) => ({ ...one, ...likeliest })) : logprobs;
    return {
      index: 0,
      text: isProbe && likeliest ? likeliest.token : response,
      logprobs: hasChances && chances.length > 0 ? chancesOf(chances) : null,
      finish_reason: done ? (reason === 'length' ? 'length' : 'stop') : null,
    };
  }
}

const chancesOf = (chances: NonNullable<Generated['logprobs']>): object => ({
  tokens: chances.map(({ token }) => token),
  token_logprobs: chances.map(({ logprob }) => logprob),
  top_logprobs: chances.map(({ top_logprobs: likeliest = [] }) =>
    Object.fromEntries(likeliest.map(({ token, logprob }) => [token, logprob])),
  ),
});

const usageOf = ({ prompt_eval_count: prompt = 0, eval_count: completion = 0 }: Generated): object => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
});

/** Lines of JSON in, server-sent events out. */
class Events extends Transform {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #isDone = false;

  constructor(private readonly shape: Completion) {
    super();
  }

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const lines = (this.#rest + this.#decoder.write(piece)).split('\n');
    this.#rest = lines.pop() ?? '';
    try {
      for (const line of lines) this.#line(line);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: (error?: Error) => void): void {
    done(this.#isDone ? undefined : new EngineUnavailable('Ollama ended its answer in the middle'));
  }

  #line(line: string): void {
    if (line.trim() === '') return;
    const generated = JSON.parse(line) as Generated;
    if (generated.error !== undefined)
      throw new EngineUnavailable(`Ollama broke off: ${JSON.stringify(generated.error)}`);
    for (const event of this.shape.events(generated)) this.push(`data: ${JSON.stringify(event)}\n\n`);
    this.#isDone = generated.done === true;
    if (this.#isDone) this.push('data: [DONE]\n\n');
  }
}

async function generatedIn(body: Readable): Promise<Generated> {
  const parts: Buffer[] = [];
  for await (const part of body as AsyncIterable<Buffer>) parts.push(part);
  try {
    return (JSON.parse(Buffer.concat(parts).toString()) as Generated | null) ?? {};
  } catch {
    return { error: Buffer.concat(parts).toString().slice(0, 500) };
  }
}

function jsonReply(status: number, content: object): EngineReply {
  const body = Readable.from([Buffer.from(JSON.stringify(content))]);
  return { status, headers: { 'content-type': 'application/json' }, body };
}
