import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { AppError } from './errors.js';

const LONGEST_URL = 4096;
const MOST_HEADERS = 100;
const DEEPEST_JSON = 32;
/** With the flag `u`, a surrogate that has its other half is none. */
const NO_TEXT = /[\0\p{Surrogate}]/u;
const FORM = /^(?:multipart\/form-data|application\/octet-stream|application\/x-www-form-urlencoded)$/i;
const READABLE = /^application\/(?:[\w.+-]+\+)?json$|^application\/ocsp-request$/i;

/**
 * What is refused before anything reads it.
 * @param takesForm whether the route at an address reads forms with files
 * @throws AppError `uri_too_long`, `headers_too_large`, `unsupported_media_type` or `bad_request`
 */
export function checkHead(request: IncomingMessage, takesForm: (url: string) => boolean = () => false): void {
  const { url = '', rawHeaders, headers } = request;
  if (url.length > LONGEST_URL)
    throw new AppError('uri_too_long', `The address has ${url.length} characters; ${LONGEST_URL} are the most`);
  // PostgreSQL has no text with one, and no query of ours needs it.
  if (/\?.*%00/s.test(url)) throw new AppError('bad_request', 'The query has a zero character (%00); leave it out');
  const count = rawHeaders.length / 2;
  if (count > MOST_HEADERS)
    throw new AppError('headers_too_large', `The request has ${count} headers; ${MOST_HEADERS} are the most`);
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  const mediaType = (headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '';
  if (hasBody && !READABLE.test(mediaType) && !(FORM.test(mediaType) && takesForm(url)))
    throw new AppError(
      'unsupported_media_type',
      `A body of the type "${mediaType.slice(0, 60)}" is not read; send JSON with Content-Type: application/json`,
    );
}

/**
 * For the JSON parser, which would replace wrong bytes by a sign.
 * @throws AppError `bad_request` or `unsupported_media_type`
 */
export function checkBytes(body: Buffer, charset: string): void {
  if (charset !== 'utf-8')
    throw new AppError('unsupported_media_type', `A body in ${charset.slice(0, 40)} is not read; send UTF-8`);
  if (!isUtf8(body)) throw new AppError('bad_request', 'The body is not valid UTF-8');
}

/**
 * What JSON can say and no request of ours does: it would exhaust what walks through it, reach a prototype, or be no
 * text for the database.
 * @throws AppError `bad_request`
 */
export function checkParsed(body: unknown): void {
  let level: unknown[] = [body];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= DEEPEST_JSON && level.some((node) => typeof node === 'object' && node !== null))
      throw new AppError('bad_request', `The JSON is nested deeper than ${DEEPEST_JSON} levels`);
    level = level.flatMap(partsOf);
  }
}

/** Of an object or a list, keys too. */
function partsOf(node: unknown): unknown[] {
  if (typeof node === 'string' && NO_TEXT.test(node))
    throw new AppError('bad_request', 'The JSON has a zero character or half a surrogate pair in a text; leave it out');
  if (typeof node !== 'object' || node === null) return [];
  if (Array.isArray(node)) return node;
  if (Object.hasOwn(node, '__proto__'))
    throw new AppError('bad_request', 'The JSON has a key "__proto__"; leave it out');
  return [...Object.keys(node), ...Object.values(node)];
}
