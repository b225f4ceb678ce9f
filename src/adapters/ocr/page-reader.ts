import { Worker } from 'node:worker_threads';
import type { Picture, RecognisedLine } from './recognition.js';
import type { ThreadData, ThreadReply } from './tesseract-thread.js';

/** The page took longer than a page may. */
export class SlowPage extends Error {}

/** Recognises pictures in a thread, which is ended where one takes too long; started with the first, and kept. */
export class PageReader {
  #thread: Worker | null = null;

  constructor(
    private readonly languages: readonly string[],
    private readonly pageMs: number,
  ) {}

  /**
   * The lines of a picture; none where it shows no text.
   * @throws SlowPage after the time of a page; Error where the picture cannot be read
   */
  async read(picture: Picture): Promise<RecognisedLine[]> {
    const thread = (this.#thread ??= this.#started());
    const reply = await this.#answer(thread, picture);
    if ('error' in reply) throw new Error(reply.error);
    return reply.lines;
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    await thread?.terminate();
  }

  #started(): Worker {
    const workerData: ThreadData = { languages: this.languages };
    return new Worker(new URL('./tesseract-thread.js', import.meta.url), { workerData });
  }

  #answer(thread: Worker, picture: Picture): Promise<ThreadReply> {
    return new Promise<ThreadReply>((resolve, reject) => {
      const fail = (error: Error): void => {
        end();
        void this.close().finally(() => reject(error));
      };
      const gone = (): void => fail(new Error('the OCR engine ended'));
      const take = (reply: ThreadReply): void => {
        end();
        resolve(reply);
      };
      const timer = setTimeout(() => fail(new SlowPage(`not recognised within ${this.pageMs / 1000} s`)), this.pageMs);
      const end = (): void => {
        clearTimeout(timer);
        thread.off('message', take).off('error', fail).off('exit', gone);
      };
      thread.on('message', take).on('error', fail).on('exit', gone);
      thread.postMessage(picture, [picture.bytes.buffer as ArrayBuffer]);
    });
  }
}
