/** What a TLS server or client of this application presents and trusts; PEM throughout. */
export interface Identity {
  key: string;
  /** The own certificate, followed by the intermediate that issued it. */
  cert: string;
  /** Trusted roots and intermediates. */
  ca: string[];
  /** One CRL for each CA of `ca`; empty where the CA publishes none. */
  crl: string[];
  notAfter: Date;
  /** Hexadecimal. */
  serial: string;
}

/** The certificate that the application has now; whoever uses it follows its changes. */
export abstract class ServiceIdentity {
  abstract current(): Identity;
  /** Calls back at each new certificate and each new CRL. @returns the end of it */
  abstract onChange(listener: () => void): () => void;
  abstract isRevoked(serialHex: string): boolean;
  /** Calls back with the serials of certificates that were just revoked. @returns the end of it */
  abstract onRevoked(listener: (serials: string[]) => void): () => void;
}
