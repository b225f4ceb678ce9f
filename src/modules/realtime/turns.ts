import { AppError } from '../../kernel/errors.js';

/** Runs at most `width` pieces of work at the same time, in the order they came, and lets at most `queue` wait. */
export class Turns {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(
    private readonly width: number,
    private readonly queue = Number.POSITIVE_INFINITY,
  ) {}

  /** @throws AppError `rate_limited` where too many wait already */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.width) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= this.queue)
      throw new AppError(
        'rate_limited',
        `More than ${this.queue} requests wait for their answers; wait for some first`,
      );
    await new Promise<void>((enter) => this.#waiting.push(enter));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running -= 1;
  }
}
