import type { Principal } from './principal.port.js';

/** Tells when what somebody came in with ends, for connections that outlive the request. */
export abstract class CredentialWatch {
  /** Calls back once, when the credentials expire or are revoked. @returns the end of the watch */
  abstract watch(principal: Principal, ended: (reason: string) => void): () => void;
}
