import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { AppError } from '../../../kernel/errors.js';
import { Deferred } from '../../../kernel/deferred.js';
import { BodyProblem, BodyScan } from './body-scan.js';

/** Up to here a body is waited for and sent in one piece. */
const ONE_PIECE = 64 * 1024;

/** The client is gone; nobody is left to tell. */
export class ClientGone extends Error {}

export interface BodyLimits {
  /** Longest body; a longer one is answered 413. */
  maxBytes: number;
  /** Up to this length a body is kept while it is sent, so that it can be sent again. */
  keepBytes: number;
}

/** What an engine is sent: `length` is missing where it is not known. */
export interface OutgoingBody {
  body: Buffer | Readable;
  length: number | undefined;
}

/** The body of a request while it comes: scanned once, sent on with another model in it, as often as it is kept. */
export class IncomingBody {
  readonly #scan = new BodyScan(['model', 'stream', 'user']);
  #pieces: Buffer[] = [];
  #size = 0;
  #isWhole = false;
  #isKept = true;
  #problem: Error | undefined;
  #changed = new Deferred<void>();
  #outlet: Readable | undefined;

  constructor(
    private readonly request: IncomingMessage,
    private readonly limits: BodyLimits,
  ) {
    const { maxBytes } = limits;
    if (this.#announced > maxBytes) this.#fail(tooLarge(maxBytes));
    request.on('data', (piece: Buffer) => this.#take(piece));
    request.once('end', () => this.#end());
    request.once(
      'close',
      () => this.#isWhole || this.#fail(new ClientGone('the client left before its body was complete')),
    );
    request.once('error', () => undefined);
  }

  /** Whether it can be sent once more. */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** What became clear while it was sent on already: a key that stands twice, a client that left. */
  get problem(): Error | undefined {
    return this.#problem;
  }

  get #announced(): number {
    return Number(this.request.headers['content-length'] ?? 0);
  }

  /** A top-level value that is known by now. */
  value(key: 'model' | 'stream' | 'user'): unknown {
    return this.#scan.found.get(key)?.value;
  }

  /** A short body is here, or the model of a long one is known. @throws AppError, ClientGone */
  modelKnown(): Promise<void> {
    return this.#until(() => this.#size > ONE_PIECE && this.#scan.found.has('model'));
  }

  /** All of it is here. @throws AppError, ClientGone */
  complete(): Promise<void> {
    return this.#until(() => false);
  }

  /** Its JSON; only once it is complete. @throws AppError */
  json(): Record<string, unknown> {
    try {
      return JSON.parse(Buffer.concat(this.#pieces).toString()) as Record<string, unknown>;
    } catch {
      throw new AppError('bad_request', 'The body is not valid JSON');
    }
  }

  get size(): number {
    return this.#size;
  }

  /** It with this name as its `model`; once it is sent in pieces, an earlier way out is closed. */
  out(model: string): OutgoingBody {
    const token = this.#scan.found.get('model');
    const name = Buffer.from(JSON.stringify(model));
    const pieces = token ? spliced(this.#pieces, token, name) : this.#pieces;
    const change = token ? name.length - (token.end - token.start) : 0;
    if (this.#isWhole) return { body: Buffer.concat(pieces), length: this.#size + change };
    return { body: this.#open(pieces), length: this.#announced > 0 ? this.#announced + change : undefined };
  }

  #open(pieces: Buffer[]): Readable {
    this.#outlet?.destroy();
    const outlet = new Readable({ read: () => void this.request.resume() });
    outlet.on('error', () => undefined);
    this.#outlet = outlet;
    for (const piece of pieces) outlet.push(piece);
    this.#forget();
    return outlet;
  }

  async #until(isEnough: () => boolean): Promise<void> {
    while (!this.#problem && !this.#isWhole && !isEnough()) await this.#changed.promise;
    if (this.#problem) throw this.#problem;
  }

  #take(piece: Buffer): void {
    if (this.#problem) return;
    this.#size += piece.length;
    if (this.#size > this.limits.maxBytes) return this.#fail(tooLarge(this.limits.maxBytes));
    if (!this.#scanned(() => this.#scan.push(piece))) return;
    if (this.#isKept) this.#pieces.push(piece);
    if (this.#outlet) {
      if (!this.#outlet.push(piece)) this.request.pause();
      this.#forget();
    }
    this.#ring();
  }

  /** Only what is being sent can be forgotten. */
  #forget(): void {
    if (this.#size <= this.limits.keepBytes) return;
    this.#isKept = false;
    this.#pieces = [];
  }

  #end(): void {
    if (this.#problem || !this.#scanned(() => this.#scan.end())) return;
    this.#isWhole = true;
    this.#outlet?.push(null);
    this.#ring();
  }

  #scanned(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      this.#fail(error instanceof BodyProblem ? badRequest(error) : (error as Error));
      return false;
    }
  }

  /** What else comes is read and dropped, so that the answer gets through. */
  #fail(problem: Error): void {
    this.#problem ??= problem;
    this.#pieces = [];
    this.#outlet?.destroy(this.#problem);
    this.request.resume();
    this.#ring();
  }

  #ring(): void {
    const before = this.#changed;
    this.#changed = new Deferred();
    before.resolve();
  }
}

const badRequest = ({ message, param }: BodyProblem): AppError =>
  new AppError('bad_request', message, param === null ? [] : [{ path: param, message }]);

const tooLarge = (maxBytes: number): AppError =>
  new AppError('too_large', `The body is longer than ${Math.round(maxBytes / 1024 / 1024)} MB, which is the most here`);

/** The pieces with other bytes between two places; they stay as they are where nothing changes. */
function spliced(pieces: readonly Buffer[], { start, end }: { start: number; end: number }, by: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let at = 0;
  for (const piece of pieces) {
    const behind = at + piece.length;
    if (at < start) parts.push(piece.subarray(0, Math.min(piece.length, start - at)));
    if (at <= start && start < behind) parts.push(by);
    if (behind > end) parts.push(piece.subarray(Math.max(0, end - at)));
    at = behind;
  }
  return parts.filter(({ length }) => length > 0);
}
