import { messageOf } from './errors.js';
import type { Log } from './log.js';
import { isDatabaseAway } from './transaction.js';
import { Wake } from './wake.js';

/** Work that goes on until it is stopped: one round after the other, at a ring, or when the pause is over. */
export class BackgroundLoop {
  readonly #wake = new Wake();
  readonly #stop = new AbortController();
  #done: Promise<void> = Promise.resolve();

  /** @param round answers true where there is more to do at once; its errors are logged and the next round comes */
  constructor(
    private readonly name: string,
    private readonly pauseMs: number,
    private readonly round: (signal: AbortSignal) => Promise<unknown>,
    private readonly log: Log,
  ) {}

  start(): void {
    this.#done = this.#run();
  }

  ring(): void {
    this.#wake.ring();
  }

  /** Ends after the round that runs, which hears of it by its signal. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.ring();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let more: unknown = false;
      try {
        more = await this.round(signal);
      } catch (error) {
        if (!signal.aborted && !isDatabaseAway(error))
          this.log.error('a round in the background failed', { loop: this.name, error: messageOf(error) });
      }
      if (more !== true && !signal.aborted) await this.#wake.wait(this.pauseMs);
    }
  }
}
