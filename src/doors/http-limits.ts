import type { ServerOptions } from 'node:http';

/** Against clients that hold a connection and say nothing, or too much. */
export const httpLimits: ServerOptions = {
  headersTimeout: 10_000,
  /** Counts from the first byte to the last, and cuts off large uploads: `watchBody` stands in for it. */
  requestTimeout: 0,
  connectionsCheckingInterval: 5000,
  maxHeaderSize: 16 * 1024,
};
