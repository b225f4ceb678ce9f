import type { JWK } from 'jose';
import { messageOf } from '../../kernel/errors.js';
import { KeySource } from '../../modules/security/key-source.port.js';

const FETCH_MS = 5000;
const LARGEST_SET = 256 * 1024;
const MOST_KEYS = 100;

/** The JWKS document of the issuer (RFC 7517), over HTTP. */
export class HttpKeySource extends KeySource {
  constructor(private readonly url: string) {
    super();
  }

  async fetch(): Promise<JWK[]> {
    // A redirect could lead to keys of somebody else.
    const response = await fetch(this.url, {
      redirect: 'error',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(FETCH_MS),
    }).catch((error: Error & { cause?: unknown }) => {
      throw new Error(`${this.url} cannot be fetched: ${messageOf(error.cause ?? error)}; is KEYCLOAK_URL right?`);
    });
    if (!response.ok) throw new Error(`${this.url} answered ${response.status}`);
    const set: unknown = JSON.parse(await limitedText(response));
    const keys = (set as { keys?: unknown } | null)?.keys;
    if (!Array.isArray(keys)) throw new Error(`${this.url} answered no key set`);
    return keys.slice(0, MOST_KEYS) as JWK[];
  }
}

async function limitedText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > LARGEST_SET) throw new Error(`the key set is larger than ${LARGEST_SET} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
