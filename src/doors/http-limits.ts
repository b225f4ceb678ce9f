import type { ServerOptions } from 'node:http';

/** Against clients that hold a connection and say nothing, or too much. */
export const httpLimits: ServerOptions = {
  headersTimeout: 10_000,
  /** Headers and body; the largest body takes a second over a slow line. */
  requestTimeout: 60_000,
  connectionsCheckingInterval: 5000,
  maxHeaderSize: 16 * 1024,
};
