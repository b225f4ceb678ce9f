import { Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';

/** Bytes of bodies that are held at a time, of all requests together. */
@Injectable()
export class BodyMemory {
  readonly #limit: number;
  #held = 0;

  constructor({ gateway }: Settings) {
    this.#limit = gateway.heldBytes;
  }

  get held(): number {
    return this.#held;
  }

  /** @returns false: so much more does not fit, and nothing was taken */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.#limit) return false;
    this.#held += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}
