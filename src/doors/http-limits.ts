import type { ServerOptions } from 'node:http';

/** Against clients that hold a connection and say nothing, or too much. A body has as long as Node gives it (5 min). */
export const httpLimits: ServerOptions = {
  headersTimeout: 10_000,
  connectionsCheckingInterval: 5000,
  maxHeaderSize: 16 * 1024,
};
