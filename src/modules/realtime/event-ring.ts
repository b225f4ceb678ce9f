import type { EventFrame } from './live-frame.js';

export interface RingPage {
  frames: EventFrame[];
  /** Where the next page starts. */
  cursor: number;
}

/** The newest events in memory, without a hole: every event behind `floor` and up to `tail` is in it. */
export class EventRing {
  #frames: EventFrame[] = [];
  #first = 0;
  #bytes = 0;
  #floor: number;
  #tail: number;

  constructor(
    start: number,
    private readonly maxEvents: number,
    private readonly maxBytes: number,
  ) {
    this.#floor = start;
    this.#tail = start;
  }

  get floor(): number {
    return this.#floor;
  }

  get tail(): number {
    return this.#tail;
  }

  get size(): number {
    return this.#frames.length - this.#first;
  }

  /** Takes the events that follow `tail`, in stream order. */
  push(frames: readonly EventFrame[]): void {
    for (const frame of frames) {
      this.#frames.push(frame);
      this.#bytes += frame.bytes;
      this.#tail = frame.event.stream;
    }
    while (this.size > this.maxEvents || (this.size > 1 && this.#bytes > this.maxBytes)) this.#dropOldest();
    this.#compact();
  }

  /** Events behind `cursor`, at most `limit`, of one job where it is given; `cursor` must not lie before `floor`. */
  after(cursor: number, limit: number, jobId?: string): RingPage {
    const frames: EventFrame[] = [];
    for (let index = this.#indexAfter(cursor); index < this.#frames.length; index += 1) {
      const frame = this.#frames[index];
      if (!frame || (jobId !== undefined && frame.event.job_id !== jobId)) continue;
      frames.push(frame);
      if (frames.length === limit) return { frames, cursor: frame.event.stream };
    }
    return { frames, cursor: Math.max(cursor, this.#tail) };
  }

  #indexAfter(cursor: number): number {
    let low = this.#first;
    let high = this.#frames.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#frames[middle]?.event.stream ?? 0) > cursor) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #dropOldest(): void {
    const oldest = this.#frames[this.#first];
    if (!oldest) return;
    this.#floor = oldest.event.stream;
    this.#bytes -= oldest.bytes;
    this.#first += 1;
  }

  /** Moves the array only now and then, so that dropping costs nothing on average. */
  #compact(): void {
    if (this.#first < 256 || this.#first < this.size) return;
    this.#frames = this.#frames.slice(this.#first);
    this.#first = 0;
  }
}
