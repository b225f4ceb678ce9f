const HIDDEN = '***';
/** A shorter value stands in too many words that are no secret. */
const SHORTEST = 6;
const DEEPEST = 6;

/** What is a secret wherever it stands. */
const patterns: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, HIDDEN],
  [/\b(Bearer|Basic)[\t ]+[\w.~+/=-]{6,}/gi, `$1 ${HIDDEN}`],
  [/\bclara_pat_[\w-]+/g, `clara_pat_${HIDDEN}`],
  [/\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g, HIDDEN],
  [/(\b[a-z][a-z\d+.-]{0,20}:\/\/[^\s:/@]{0,200}):[^\s/]{1,500}@/gi, `$1:${HIDDEN}@`],
  [/([?&](?:access_token|token|ticket|password|api_key)=)[^&\s"']+/gi, `$1${HIDDEN}`],
];

/** Fields whose text is never shown. */
const SECRET_FIELD =
  /^(authorization|proxy-authorization|cookie|set-cookie|password|passphrase|token|secret|private_?key)$/i;

export const maskPatterns = (text: string): string =>
  patterns.reduce((masked, [pattern, instead]) => masked.replace(pattern, instead), text);

/** Takes out of texts what must not be seen: the known secrets, and whatever looks like one. */
export class SecretMask {
  readonly #known: readonly string[];

  constructor(secrets: readonly string[] = []) {
    const spellings = secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]);
    // The longest first: one secret may be the beginning of another.
    this.#known = [...new Set(spellings)]
      .filter((secret) => secret.length >= SHORTEST)
      .toSorted((a, b) => b.length - a.length);
  }

  text(text: string): string {
    return maskPatterns(this.#known.reduce((masked, secret) => masked.replaceAll(secret, HIDDEN), text));
  }

  fields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return this.#object(fields, 0);
  }

  #object(fields: object, depth: number): Record<string, unknown> {
    const entries = Object.entries(fields).map(([name, value]): [string, unknown] => [
      name,
      SECRET_FIELD.test(name) && typeof value === 'string' ? HIDDEN : this.#value(value, depth + 1),
    ]);
    return Object.fromEntries(entries);
  }

  #value(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof Error) return this.text(value.stack ?? value.message);
    if (depth > DEEPEST) return '...';
    if (Array.isArray(value)) return value.map((item) => this.#value(item, depth + 1));
    return 'toJSON' in value ? this.#value(JSON.parse(JSON.stringify(value)), depth + 1) : this.#object(value, depth);
  }
}
