import type { Readable } from 'node:stream';
import { Agent } from 'undici';
import { messageOf } from '../../kernel/errors.js';
import { EngineUnavailable, type EngineReply, type EngineRequest } from '../../modules/serving/engine.port.js';

const CONNECT_MS = 5000;
const LONGEST_ANSWER = 4_000_000;

export interface JsonAnswer {
  status: number;
  body: unknown;
}

type Method = 'GET' | 'POST' | 'DELETE' | 'HEAD';
type AnyRequest = Omit<EngineRequest, 'method'> & { method: Method };

/** Connections to one server, kept open between requests; bodies stream both ways. */
export class EngineHttp {
  readonly #agent = new Agent({ connect: { timeout: CONNECT_MS }, headersTimeout: 0, bodyTimeout: 0 });
  readonly #origin: string;
  readonly #prefix: string;

  /** @param url without /v1 */
  constructor(
    url: string,
    private readonly key: string | undefined,
  ) {
    const { origin, pathname } = new URL(url);
    this.#origin = origin;
    this.#prefix = pathname.replace(/\/+$/, '');
  }

  /** @throws EngineUnavailable; the signal's reason */
  send(request: EngineRequest): Promise<EngineReply> {
    return this.#send(request, this.key);
  }

  async #send({ method, path, headers, body, signal }: AnyRequest, key?: string): Promise<EngineReply> {
    const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
    try {
      const reply = await this.#agent.request({
        origin: this.#origin,
        path: this.#prefix + path,
        method,
        headers: { ...headers, ...authorization },
        body,
        signal,
      });
      return { status: reply.statusCode, headers: reply.headers, body: reply.body };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw new EngineUnavailable(`the engine at ${this.#origin} does not answer: ${reasonOf(error)}`);
    }
  }

  /** @param as `stranger`: without the key @throws EngineUnavailable; the signal's reason */
  async json(
    method: Method,
    path: string,
    { content, signal, as }: { content?: unknown; signal: AbortSignal; as?: 'stranger' },
  ): Promise<JsonAnswer> {
    const body = content === undefined ? null : Buffer.from(JSON.stringify(content));
    const headers = body ? { 'content-type': 'application/json' } : {};
    const request = { method, path, headers, body, signal } as const;
    const reply = await this.#send(request, as === 'stranger' ? undefined : this.key);
    return { status: reply.status, body: parsed(await this.#text(reply, signal)) };
  }

  /** Sends a file as it is. @throws EngineUnavailable; the signal's reason */
  async upload(path: string, body: Readable, signal: AbortSignal): Promise<JsonAnswer> {
    const headers = { 'content-type': 'application/octet-stream' };
    const reply = await this.send({ method: 'POST', path, headers, body, signal });
    return { status: reply.status, body: parsed(await this.#text(reply, signal)) };
  }

  /** Ends every answer that still runs. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #text(reply: EngineReply, signal: AbortSignal): Promise<string> {
    const parts: Buffer[] = [];
    let size = 0;
    try {
      for await (const part of reply.body as AsyncIterable<Buffer>) {
        if ((size += part.length) > LONGEST_ANSWER) throw new Error('its answer is too long');
        parts.push(part);
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw new EngineUnavailable(`the engine at ${this.#origin} broke off: ${reasonOf(error)}`);
    }
    return Buffer.concat(parts).toString();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** An AggregateError, as a refused connection to `localhost` is one, has no words of its own. */
const reasonOf = (error: unknown): string =>
  messageOf(error) || ((error as { code?: string } | null)?.code ?? 'no reason is given');
