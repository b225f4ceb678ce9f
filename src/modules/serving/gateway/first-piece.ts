import type { Readable } from 'node:stream';
import { AppError } from '../../../kernel/errors.js';
import type { EngineReply } from '../engine.port.js';

/** Longest answer that is no stream. */
const LONGEST_ANSWER = 128 * 1024 * 1024;

/** A reply of which something has come, so that what follows it is its answer. */
export interface BegunReply {
  status: number;
  contentType: string;
  isStream: boolean;
  /** All of it where it is no stream. */
  first: Buffer;
  /** Paused; the rest of a stream. */
  rest: Readable;
}

/** Waits for the first bytes of a stream, or for all of any other reply. @throws what breaks it off */
export async function begun({ status, headers, body }: EngineReply, silentMs: number): Promise<BegunReply> {
  const type = headers['content-type'];
  const contentType = (Array.isArray(type) ? type[0] : type) ?? 'application/json';
  const isStream = status === 200 && contentType.startsWith('text/event-stream');
  const first = await pieces(body, isStream ? 1 : LONGEST_ANSWER, silentMs);
  return { status, contentType, isStream, first, rest: body };
}

/** Reads until `enough` bytes or the end, and pauses there. */
function pieces(body: Readable, enough: number, silentMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const found: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => body.destroy(new Error(`it sent nothing for ${silentMs / 1000} s`)), silentMs);
    const settle = (): void => {
      clearTimeout(timer);
      body.off('data', take).off('end', finish).off('error', fail).off('close', closed);
    };
    const finish = (): void => {
      settle();
      resolve(found.length === 1 ? (found[0] as Buffer) : Buffer.concat(found));
    };
    const fail = (error: Error): void => {
      settle();
      // A broken body may tell it once more.
      body.on('error', () => undefined);
      reject(error);
    };
    const closed = (): void => fail(new Error('it broke off'));
    const take = (piece: Buffer): void => {
      timer.refresh();
      found.push(piece);
      size += piece.length;
      if (enough === 1) {
        body.pause();
        finish();
      } else if (size > enough) fail(new AppError('bad_gateway', 'The answer of the engine is too long'));
    };
    body.on('data', take).once('end', finish).once('error', fail).once('close', closed);
  });
}
