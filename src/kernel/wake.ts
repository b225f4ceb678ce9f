/** A bell that one loop waits for: rings that come while nobody waits are remembered as one. */
export class Wake {
  #rung = false;
  #ring: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#ring?.();
  }

  /** Resolves at a ring, or after `ms`. */
  async wait(ms: number): Promise<void> {
    if (!this.#rung)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#ring = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.#ring = undefined;
    this.#rung = false;
  }
}
