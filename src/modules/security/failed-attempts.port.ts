/** Remembers how many tokens of an address failed lately. */
export abstract class FailedAttempts {
  /** Seconds that no unknown token of this address is looked at; null: it is. */
  abstract blocked(address: string): number | null;
  abstract failed(address: string): void;
}
