/** Milliseconds of one answer by what they went into; the gateway's own are what is left. */
export class AnswerTimes {
  readonly began: number;
  /** From admission to the replica. */
  queued = 0;
  #waiting = 0;
  #waitingSince = 0;
  firstAt = 0;
  lastAt = 0;

  constructor(private readonly now: () => number = () => performance.now()) {
    this.began = now();
  }

  /** Waits for something that is not ours: the client's body, a replica, the engine. */
  async waiting<T>(work: Promise<T>): Promise<T> {
    this.#waitingSince = this.now();
    try {
      return await work;
    } finally {
      this.#waiting += this.now() - this.#waitingSince;
    }
  }

  async queueing<T>(work: Promise<T>): Promise<T> {
    const before = this.now();
    try {
      return await this.waiting(work);
    } finally {
      this.queued += this.now() - before;
    }
  }

  first(): void {
    this.firstAt = this.now();
  }

  last(): void {
    this.lastAt = this.now();
  }

  /** The gateway's own time up to now. */
  own(): number {
    return Math.max(0, this.now() - this.began - this.#waiting);
  }
}
