import type { ReaderKey } from '../documents/replica.port.js';
import { EVERYBODY, readerKeysOf } from '../documents/readers.port.js';
import type { Caller } from '../security/principal.port.js';

/** Who may read both of two things; `*` sets no limit. */
export function narrowed(a: readonly ReaderKey[], b: readonly ReaderKey[]): ReaderKey[] {
  if (a.includes(EVERYBODY)) return [...new Set(b)];
  return b.includes(EVERYBODY) ? [...new Set(a)] : a.filter((key) => b.includes(key));
}

export const mayRead = (record: { owner: string; readers: readonly ReaderKey[] }, caller: Caller): boolean => {
  const keys = readerKeysOf(caller);
  return keys === null || record.owner === caller.subject || record.readers.some((key) => keys.includes(key));
};
