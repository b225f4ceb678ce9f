/** Lets text through up to a stop string, and holds back what may begin one. */
export class StopScan {
  #held = '';
  isStopped = false;

  constructor(private readonly stops: readonly string[]) {}

  /** The text that is certain now. After a stop string there is no more. */
  push(piece: string): string {
    const text = this.#held + piece;
    const first = Math.min(...this.stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0));
    this.isStopped ||= first !== Infinity;
    const certain = this.isStopped ? first : text.length - this.#beginning(text);
    this.#held = this.isStopped ? '' : text.slice(certain);
    return text.slice(0, certain);
  }

  /** What was held back when the answer ended otherwise. */
  rest(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }

  /** Characters at the end that could begin a stop string. */
  #beginning(text: string): number {
    const longest = Math.min(text.length, Math.max(0, ...this.stops.map(({ length }) => length - 1)));
    for (let length = longest; length > 0; length -= 1)
      if (this.stops.some((stop) => stop.startsWith(text.slice(-length)))) return length;
    return 0;
  }
}
