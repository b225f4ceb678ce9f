import type { JWK } from 'jose';

/** Where the public keys of the issuer come from. */
export abstract class KeySource {
  /** @throws Error where the issuer does not answer with a key set in time */
  abstract fetch(): Promise<JWK[]>;
}
