import type { Principal } from './principal.port.js';

/** Reads JSON web tokens: with signatures, or in testing mode without. */
export abstract class JsonWebTokens {
  /** @throws AppError `unauthorized`, or `unavailable` where it cannot be checked now */
  abstract verify(token: string): Promise<Principal>;
  /** Who it is, where the very same token was verified before and still holds. */
  abstract remembered(token: string): Principal | undefined;
}
