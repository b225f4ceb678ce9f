import type { ReaderKey } from '../documents/replica.port.js';
import { isAdmin, type Caller } from '../security/principal.port.js';

/** Everybody who may read datasets at all. */
export const EVERYBODY: ReaderKey = '*';

/** The keys that a caller holds; null: an admin, who reads everything. */
export function keysOf(caller: Caller): ReaderKey[] | null {
  if (isAdmin(caller)) return null;
  return [EVERYBODY, `owner:${caller.subject}`, ...caller.roles.map((role) => `role:${role}`)];
}

/** Who may read both of two things; `*` sets no limit. */
export function narrowed(a: readonly ReaderKey[], b: readonly ReaderKey[]): ReaderKey[] {
  if (a.includes(EVERYBODY)) return [...new Set(b)];
  return b.includes(EVERYBODY) ? [...new Set(a)] : a.filter((key) => b.includes(key));
}

export const mayRead = (record: { owner: string; readers: readonly ReaderKey[] }, caller: Caller): boolean => {
  const keys = keysOf(caller);
  return keys === null || record.owner === caller.subject || record.readers.some((key) => keys.includes(key));
};
