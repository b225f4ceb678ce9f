import { ServiceIdentity } from './service-identity.port.js';

/** An identity that tells its followers what is new. */
export abstract class FollowedIdentity extends ServiceIdentity {
  readonly #onChange = new Set<() => void>();
  readonly #onRevoked = new Set<(serials: string[]) => void>();
  #revoked: ReadonlySet<string> = new Set();

  onChange(listener: () => void): () => void {
    this.#onChange.add(listener);
    return () => void this.#onChange.delete(listener);
  }

  isRevoked(serialHex: string): boolean {
    return this.#revoked.has(serialHex.toLowerCase());
  }

  onRevoked(listener: (serials: string[]) => void): () => void {
    this.#onRevoked.add(listener);
    return () => void this.#onRevoked.delete(listener);
  }

  get listeners(): number {
    return this.#onChange.size + this.#onRevoked.size;
  }

  /** Follows nothing any more. */
  abstract close(): void;

  /**
   * What is revoked from now on, in lower case.
   * @returns what was not before
   */
  protected know(revoked: ReadonlySet<string>): string[] {
    const news = [...revoked].filter((serial) => !this.#revoked.has(serial));
    this.#revoked = revoked;
    return news;
  }

  protected tellChange(): void {
    for (const listener of this.#onChange) listener();
  }

  protected tellRevoked(serials: string[]): void {
    if (serials.length > 0) for (const listener of this.#onRevoked) listener(serials);
  }
}
