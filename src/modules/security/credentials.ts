import type { IncomingMessage } from 'node:http';
import { AppError } from '../../kernel/errors.js';
import { BEARER_PROTOCOL, type Where } from './authenticator.port.js';

/** Longest token that is looked at; Keycloak's are 1-2 KiB. */
const LONGEST_TOKEN = 8192;
export const PERSONAL_PREFIX = 'clara_pat_';

export type Credentials =
  { kind: 'jwt'; token: string } | { kind: 'personal'; token: string } | { kind: 'ticket'; ticket: string };

const CHALLENGE = 'Bearer realm="clara"';

/** RFC 6750: without credentials the challenge names no error. */
export const missing = (): AppError =>
  new AppError('unauthorized', 'Missing authentication credentials', [], { 'WWW-Authenticate': CHALLENGE });

/** @param detail what is wrong with the token; never the token itself */
export const invalidToken = (detail: string): AppError =>
  new AppError('unauthorized', detail, [], {
    'WWW-Authenticate': `${CHALLENGE}, error="invalid_token", error_description="${detail.replaceAll(/[^\x20-\x7e]|["\\]/g, ' ')}"`,
  });

/** Whether a token came and was not valid, so that it may have been a guess. */
export const isInvalidToken = (error: unknown): boolean =>
  error instanceof AppError && (error.headers['WWW-Authenticate']?.includes('invalid_token') ?? false);

/**
 * The credentials of a request.
 * @throws AppError `unauthorized` without any, with several, and with what cannot be one
 */
export function readCredentials(request: IncomingMessage, where: Where): Credentials {
  const found = [headerToken(request), ...(where === 'handshake' ? handshakeTokens(request) : [])].filter(
    (item) => item !== undefined,
  );
  const [first, second] = found;
  if (!first) throw missing();
  if (second) throw invalidToken('Invalid token: credentials came in several places; send them once');
  return first;
}

/** A token that came by itself, as in the `auth` payload of Socket.IO. @throws AppError `unauthorized` */
export function credentialsOf(token: string): Credentials {
  if (token.length > LONGEST_TOKEN) throw invalidToken(`Invalid token: it is longer than ${LONGEST_TOKEN} characters`);
  if (token.startsWith(PERSONAL_PREFIX)) return { kind: 'personal', token };
  if (/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return { kind: 'jwt', token };
  throw invalidToken('Invalid token: it is neither a JSON web token nor a personal access token');
}

function headerToken(request: IncomingMessage): Credentials | undefined {
  const values = valuesOf(request, 'authorization');
  const [value, another] = values;
  if (value === undefined) return undefined;
  if (another !== undefined) throw invalidToken('Invalid token: several Authorization headers came; send one');
  const [, scheme, token] = /^(\S+)[ ]+(\S+)[ ]*$/.exec(value) ?? [];
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined) throw missing();
  return credentialsOf(token);
}

/** Node keeps only the first of several Authorization headers; the raw ones tell. */
function valuesOf({ rawHeaders }: IncomingMessage, name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

function handshakeTokens(request: IncomingMessage): Credentials[] {
  const query = new URLSearchParams(request.url?.split(/\?(.*)/s, 2)[1] ?? '');
  const tokens = [...query.getAll('access_token'), ...query.getAll('token'), ...protocolTokens(request)];
  const tickets = query.getAll('ticket').map((ticket) => ({ kind: 'ticket' as const, ticket }));
  return [...tokens.map(credentialsOf), ...tickets];
}

/** `Sec-WebSocket-Protocol: bearer, <token>` */
function protocolTokens(request: IncomingMessage): string[] {
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((item) => item.trim()) ?? [];
  const place = offered.indexOf(BEARER_PROTOCOL);
  return place === -1 ? [] : offered.slice(place + 1, place + 2);
}
