import { AppError } from '../../kernel/errors.js';
import { checkParsed } from '../../kernel/request-shape.js';

export interface Subscription {
  /** Undefined: all jobs. */
  jobId: string | undefined;
  /** Stream number of the last update seen; undefined: only what comes from now on. */
  after: number | undefined;
}

export type ClientMessage =
  | { type: 'ping' }
  | { type: 'subscribe'; subscription: Subscription }
  | { type: 'unsubscribe'; jobId: string | undefined };

const KNOWN =
  '"ping", {"type":"ping"}, {"type":"subscribe","job_id":…,"after":…} and {"type":"unsubscribe","job_id":…}';
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const isJobId = (value: unknown): value is string => typeof value === 'string' && uuid.test(value);

const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 60);
const wrong = (detail: string): AppError => new AppError('invalid', detail);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws AppError `invalid` */
function parseJobId(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (isJobId(value)) return value.toLowerCase();
  throw wrong(`job_id: ${shown(value)} is not the id of a job (a UUID), nor null for all jobs`);
}

/** @throws AppError `invalid` */
function parseAfter(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong(`after: ${shown(value)} is not a stream number (a whole number from 0)`);
}

/**
 * Reads `{job_id?: string|null, after?: number|null}`.
 * @throws AppError `invalid` or `bad_request`
 */
export function parseSubscription(value: unknown): Subscription {
  checkParsed(value);
  if (value === undefined || value === null) return { jobId: undefined, after: undefined };
  if (!isRecord(value)) throw wrong(`${shown(value)} is not an object with job_id and after`);
  return { jobId: parseJobId(value['job_id']), after: parseAfter(value['after']) };
}

/**
 * Reads the query of a socket's address: `job` and `after`, both optional.
 * @throws AppError `invalid`
 */
export function parseQuery(query: URLSearchParams): Subscription {
  const after = query.get('after');
  return {
    jobId: parseJobId(query.get('job') || undefined),
    after: parseAfter(after !== null && /^\d+$/.test(after) ? Number(after) : after),
  };
}

/**
 * Reads a text message of a plain WebSocket.
 * @throws AppError `invalid` or `bad_request`
 */
export function parseMessage(text: string): ClientMessage {
  if (text.trim() === 'ping') return { type: 'ping' };
  const message = parseJson(text);
  checkParsed(message);
  if (!isRecord(message)) throw wrong(`${shown(message)} is not a message; known are ${KNOWN}`);
  switch (message['type']) {
    case 'ping':
      return { type: 'ping' };
    case 'subscribe':
      return { type: 'subscribe', subscription: parseSubscription(message) };
    case 'unsubscribe':
      return { type: 'unsubscribe', jobId: parseSubscription(message).jobId };
    default:
      throw wrong(`type: ${shown(message['type'])} is not known; known are ${KNOWN}`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrong(`${shown(text)} is neither "ping" nor JSON; known are ${KNOWN}`);
  }
}
