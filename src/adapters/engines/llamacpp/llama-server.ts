import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { messageOf } from '../../../kernel/errors.js';
import { askedChat, askedText, type AskedAnswer } from './asked-answer.js';
import { BadRequest } from './bad-request.js';
import { Replies } from './replies.js';
import type { Piece } from './answer.js';
import type { Body } from './request-fields.js';
import type { ServedModels } from './served-models.js';

interface Parts {
  models: Pick<ServedModels, 'list' | 'load' | 'unload' | 'answer' | 'contextSize'>;
  key: string;
  useThreads: (threads: number) => void;
}

interface Call {
  body: Body;
  response: ServerResponse;
  /** Fires when the client leaves. */
  signal: AbortSignal;
}

const LONGEST_BODY = 32 * 1024 * 1024;

/** vLLM's HTTP API over one base model and its adapters. */
export class LlamaServer {
  readonly #server: Server;
  readonly #routes: Readonly<Record<string, (call: Call) => Promise<void> | void>>;

  constructor(private readonly parts: Parts) {
    this.#server = createServer((request, response) => void this.#handle(request, response));
    this.#routes = {
      'GET /health': ({ response }) => json(response, 200, {}),
      'GET /v1/models': ({ response }) => this.#list(response),
      'POST /v1/load_lora_adapter': (call) => this.#load(call),
      'POST /v1/unload_lora_adapter': (call) => this.#unload(call),
      'POST /v1/chat/completions': (call) => this.#answer(askedChat(call.body), call),
      'POST /v1/completions': (call) => this.#answer(askedText(call.body), call),
      'POST /engine/threads': (call) => this.#threads(call),
    };
  }

  /** @returns the port, on loopback */
  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (typeof address !== 'object' || !address) throw new Error('the server has no port');
    return address.port;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the client left')));
    try {
      this.#checkKey(request);
      const [path = ''] = (request.url ?? '').split('?');
      const route = this.#routes[`${request.method} ${path}`];
      if (!route) throw new BadRequest(`there is no ${request.method} ${path}`, null, 404);
      await route({ body: await bodyOf(request), response, signal: gone.signal });
    } catch (error) {
      if (!gone.signal.aborted) fail(response, error);
    }
  }

  #checkKey({ headers }: IncomingMessage): void {
    const given = hash(headers.authorization ?? '');
    if (!timingSafeEqual(given, hash(`Bearer ${this.parts.key}`))) throw new BadRequest('Unauthorized', null, 401);
  }

  #list(response: ServerResponse): void {
    const { models } = this.parts;
    const common = { object: 'model', created: 0, owned_by: 'clara', max_model_len: models.contextSize };
    json(response, 200, { object: 'list', data: models.list().map((model) => ({ ...common, ...model })) });
  }

  async #load({ body, response, signal }: Call): Promise<void> {
    await this.parts.models.load(textIn(body, 'lora_name'), textIn(body, 'lora_path'), signal);
    json(response, 200, { status: 'ok' });
  }

  #unload({ body, response }: Call): void {
    this.parts.models.unload(textIn(body, 'lora_name'));
    json(response, 200, { status: 'ok' });
  }

  #threads({ body, response }: Call): void {
    const { threads } = body;
    if (!Number.isSafeInteger(threads) || (threads as number) < 1)
      throw new BadRequest('threads must be a whole number above 0', 'threads');
    this.parts.useThreads(threads as number);
    json(response, 200, {});
  }

  async #answer(asked: AskedAnswer, { response, signal }: Call): Promise<void> {
    const replies = new Replies(asked);
    if (asked.isStream) return this.#stream(asked, replies, { response, signal });
    const pieces: Piece[] = [];
    const end = await this.parts.models.answer(asked, signal, (piece) => {
      pieces.push(piece);
      return Promise.resolve();
    });
    json(response, 200, replies.whole(pieces, end));
  }

  async #stream(asked: AskedAnswer, replies: Replies, { response, signal }: Omit<Call, 'body'>): Promise<void> {
    const send = async (event: object | '[DONE]'): Promise<void> => {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      const data = event === '[DONE]' ? event : JSON.stringify(event);
      if (!response.write(`data: ${data}\n\n`)) await once(response, 'drain', { signal });
    };
    const end = await this.parts.models.answer(asked, signal, async (piece) => {
      if (piece.text !== '' || piece.chance) await send(replies.piece(piece));
    });
    await send(replies.end(end));
    if (asked.wantsUsage) await send(replies.usage(end));
    await send('[DONE]');
    response.end();
  }
}

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();

function textIn(body: Body, name: string): string {
  const text = body[name];
  if (typeof text !== 'string' || text === '') throw new BadRequest(`${name} is missing`, name);
  return text;
}

async function bodyOf(request: IncomingMessage): Promise<Body> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    if ((size += part.length) > LONGEST_BODY) throw new BadRequest('the body is longer than 32 MB', null, 413);
    parts.push(part);
  }
  if (size === 0) return {};
  try {
    const body: unknown = JSON.parse(Buffer.concat(parts).toString());
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Body;
  } catch {
    // Told below.
  }
  throw new BadRequest('the body is no JSON object');
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** After the first piece the error is an event of its own, and the stream ends without its end mark. */
function fail(response: ServerResponse, error: unknown): void {
  const isBad = error instanceof BadRequest;
  const status = isBad ? error.status : 500;
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  const told = { message: messageOf(error), type, param: isBad ? error.param : null, code: isBad ? error.code : null };
  if (!isBad) process.stderr.write(`${messageOf(error)}\n`);
  if (response.headersSent) response.end(`data: ${JSON.stringify({ error: told })}\n\n`);
  else json(response, status, { error: told });
}
