import { toUSVString } from 'node:util';

/** No database takes a NUL or half a surrogate pair in a text; both become U+FFFD. */
export const cleanText = (text: string): string => toUSVString(text).replaceAll('\0', '\uFFFD');

/** A plain value with all of its texts and names clean. */
export function cleaned<T>(value: T): T;
export function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map((item) => cleaned<unknown>(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [cleanText(name), cleaned<unknown>(inner)]));
}
