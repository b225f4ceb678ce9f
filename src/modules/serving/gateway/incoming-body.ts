import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { AppError } from '../../../kernel/errors.js';
import type { BodyMemory } from './body-memory.js';
import { BodyProblem, BodyScan } from './body-scan.js';
import { ClientGone } from './client-gone.js';

/** Up to here a body is waited for and sent in one piece. */
const ONE_PIECE = 64 * 1024;
const RETRY_SECONDS = '5';

export interface BodyLimits {
  /** Longest body; a longer one is answered 413. */
  maxBytes: number;
  /** Up to this length a body is kept while it is sent, so that it can be sent again. */
  keepBytes: number;
  /** What all bodies share: where it is full, a body that is sent already is not kept, and another one is answered 503. */
  memory: Pick<BodyMemory, 'take' | 'give'>;
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
  /** Bytes of `#pieces`. */
  #held = 0;
  #isWhole = false;
  #isKept = true;
  #isPaused = false;
  #problem: Error | undefined;
  #waiting: (() => void)[] = [];
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
    const length = this.#isWhole ? this.#size : this.#announced;
    if (this.#isWhole && length <= ONE_PIECE) return { body: oneOf(pieces), length: length + change };
    return { body: this.#open(pieces), length: length > 0 ? length + change : undefined };
  }

  /** Gives back what it holds; nothing is sent any more. */
  release(): void {
    this.#isKept = false;
    this.#drop();
  }

  #open(pieces: Buffer[]): Readable {
    this.#outlet?.destroy();
    // As much as is kept anyway; a smaller mark would stop and start the client's socket at every piece.
    const highWaterMark = this.limits.keepBytes;
    const outlet = new Readable({ highWaterMark, read: () => void (this.#isPaused && this.#resume()) });
    outlet.on('error', () => undefined);
    this.#outlet = outlet;
    for (const piece of pieces) outlet.push(piece);
    if (this.#isWhole) outlet.push(null);
    // Only what is being sent can be forgotten.
    if (this.#isTooLong) this.release();
    return outlet;
  }

  #resume(): void {
    this.#isPaused = false;
    this.request.resume();
  }

  async #until(isEnough: () => boolean): Promise<void> {
    while (!this.#problem && !this.#isWhole && !isEnough())
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#problem) throw this.#problem;
  }

  #take(piece: Buffer): void {
    if (this.#problem) return;
    this.#size += piece.length;
    if (this.#size > this.limits.maxBytes) return this.#fail(tooLarge(this.limits.maxBytes));
    if (!this.#scanned(() => this.#scan.push(piece))) return;
    if (this.#isKept && !this.#hold(piece)) return this.#fail(noRoom());
    if (this.#outlet && !this.#outlet.push(piece)) {
      this.#isPaused = true;
      this.request.pause();
    }
    this.#ring();
  }

  /** @returns false: there is no room for what must be held */
  #hold(piece: Buffer): boolean {
    const hasRoom = this.limits.memory.take(piece.length);
    if (hasRoom) {
      this.#pieces.push(piece);
      this.#held += piece.length;
    }
    if (this.#outlet && (!hasRoom || this.#isTooLong)) this.release();
    return hasRoom || this.#outlet !== undefined;
  }

  get #isTooLong(): boolean {
    return this.#size > this.limits.keepBytes;
  }

  #drop(): void {
    this.limits.memory.give(this.#held);
    this.#held = 0;
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
    this.#drop();
    this.#outlet?.destroy(this.#problem);
    this.request.resume();
    this.#ring();
  }

  #ring(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

const badRequest = ({ message, param }: BodyProblem): AppError =>
  new AppError('bad_request', message, param === null ? [] : [{ path: param, message }]);

const tooLarge = (maxBytes: number): AppError =>
  new AppError('too_large', `The body is longer than ${Math.round(maxBytes / 1024 / 1024)} MB, which is the most here`);

const noRoom = (): AppError => {
  const message = 'So many long bodies wait here that there is no room for one more; try again';
  return new AppError('unavailable', message, [], { 'Retry-After': RETRY_SECONDS });
};

const oneOf = (pieces: readonly Buffer[]): Buffer =>
  pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);

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
