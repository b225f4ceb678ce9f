const LONGEST = 500;
const MOST_KEYS = 50;
const DEEPEST = 4;
const SECRET_KEY =
  /pass(word|phrase)?$|secret|token|authorization|cookie|private|api_?key|credential|^(key|csr|pem|content|text|messages|prompt)$/i;
/** A JSON web token, a PEM block, or the authorization header of a request. */
const SECRET_VALUE = /eyJ[\w-]{8,}\.[\w-]+\.|-----BEGIN |^(bearer|basic) /i;

/** The last net under what is recorded: no secret, no long text, nothing that PostgreSQL's jsonb refuses. */
export function masked(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return maskedText(value);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object') return null;
  if (depth >= DEEPEST) return '[too deep]';
  if (Array.isArray(value)) return value.slice(0, MOST_KEYS).map((item) => masked(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MOST_KEYS)
      .map(([key, item]) => [plain(key, 100), SECRET_KEY.test(key) ? '[masked]' : masked(item, depth + 1)]),
  );
}

const maskedText = (text: string): string => (SECRET_VALUE.test(text) ? '[masked]' : plain(text, LONGEST));

/** At most `most` characters, without NUL and without half characters. */
export function plain(text: string, most: number): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut.replaceAll('\u0000', '').replaceAll(/\p{Surrogate}/gu, '\uFFFD');
}
