import type { ServerResponse } from 'node:http';
import { AppError, messageOf } from '../../../kernel/errors.js';
import { openAiError } from '../../../kernel/openai-error.js';
import { AnswerEnded, type Outcome } from '../lease.js';
import { countEvents, EventCutter } from './event-cutter.js';
import type { BegunReply } from './first-piece.js';
import { eventsWithModel } from './model-rewriting.js';
import { usageIn, type Usage } from './usage.js';

const DONE = '[DONE]';
/** How an engine itself ends a stream that it cannot go on with. */
const TOLD = /(^|\n)data: ?\{ ?"error"/;

/** What came of a stream. */
export interface PipedAnswer {
  outcome: Outcome;
  usage: Usage | undefined;
  /** Server-sent events with data. */
  events: number;
}

export interface PipeOptions {
  /** The `model` to put into each event; undefined: they say the right one already. */
  model: string | undefined;
  silentMs: number;
}

/** Carries a stream that has begun to its client, whole event by whole event, as fast as the client reads. */
export class AnswerPipe {
  readonly #cutter = new EventCutter();
  readonly #answer: PipedAnswer = { outcome: 'ok', usage: undefined, events: 0 };
  #isDone = false;
  #hasTold = false;
  #hasEnded = false;

  constructor(
    private readonly reply: BegunReply,
    private readonly response: ServerResponse,
    private readonly options: PipeOptions,
  ) {}

  /** Resolves when the answer has ended, however. */
  run(): Promise<PipedAnswer> {
    const { rest } = this.reply;
    const { silentMs } = this.options;
    return new Promise((resolve) => {
      const timer = setTimeout(() => rest.destroy(new Error(`it sent nothing for ${silentMs / 1000} s`)), silentMs);
      const end = (outcome: Outcome): void => {
        if (this.#hasEnded) return;
        this.#hasEnded = true;
        this.#answer.outcome = outcome;
        clearTimeout(timer);
        this.response.off('drain', resume);
        resolve(this.#answer);
      };
      const resume = (): void => void rest.resume();
      const take = (piece: Buffer): void => {
        timer.refresh();
        if (!this.#write(piece)) rest.pause();
      };
      this.response.on('drain', resume).once('close', () => this.#left(end));
      rest.on('data', take);
      rest.once('end', () => this.#finish(end));
      rest.once('error', (error: Error) => this.#breakOff(error, end));
      rest.once('close', () => this.#breakOff(new Error('it broke off'), end));
      rest.on('error', () => undefined);
      const keepsUp = this.#write(this.reply.first);
      // A short stream is over before anybody listens for its end.
      if (rest.readableEnded) this.#finish(end);
      else if (rest.destroyed) this.#breakOff(new Error('it broke off'), end);
      else if (keepsUp) rest.resume();
    });
  }

  /** @returns whether the client keeps up */
  #write(piece: Buffer): boolean {
    const whole = this.#cutter.push(piece);
    if (whole.length === 0) return true;
    this.#answer.usage = usageIn(whole) ?? this.#answer.usage;
    this.#answer.events += countEvents(whole);
    this.#isDone ||= whole.includes(DONE);
    this.#hasTold ||= whole.includes('"error"') && TOLD.test(whole.toString('latin1'));
    const { model } = this.options;
    return this.response.write(model === undefined ? whole : eventsWithModel(whole, model));
  }

  /** A stream that ends without its end mark was broken off, too; one that told of an error has said so itself. */
  #finish(end: (outcome: Outcome) => void): void {
    const { rest } = this.#cutter;
    if (!this.#isDone && rest.includes(DONE)) this.#write(Buffer.from('\n\n'));
    this.#breakOff(new Error('its answer ended before it was complete'), end);
  }

  #breakOff(cause: Error, end: (outcome: Outcome) => void): void {
    if (this.#hasEnded) return;
    if (this.response.destroyed) return end('gone');
    if (this.#isDone || this.#hasTold) {
      this.response.end();
      return end(this.#isDone ? 'ok' : 'failed');
    }
    const isEnded = cause instanceof AnswerEnded;
    const why = isEnded ? cause.message : `The engine broke off in the middle of its answer: ${messageOf(cause)}`;
    const problem = { path: '', message: why, code: isEnded ? 'adapter_unloaded' : 'engine_failed' };
    const error = openAiError(new AppError('bad_gateway', why, [problem]));
    this.response.end(`data: ${JSON.stringify({ error })}\n\n`);
    end(isEnded ? 'ok' : 'failed');
  }

  #left(end: (outcome: Outcome) => void): void {
    if (this.#hasEnded) return;
    this.reply.rest.destroy();
    end(this.response.writableFinished ? 'ok' : 'gone');
  }
}
