import { AppError } from '../../kernel/errors.js';
import { isAdmin, type Principal } from '../security/principal.port.js';
import type { ReaderKey } from './replica.port.js';

/** Everybody who may search. */
export const EVERYBODY: ReaderKey = '*';

const READER = /^(role|group):[\p{L}\p{N}_./ -]{1,100}$/u;
const MOST_READERS = 50;

/** The keys a caller holds; null for those who may read everything: admins, and the application itself. */
export function readerKeysOf(caller: Principal): ReaderKey[] | null {
  if (isAdmin(caller) || caller.via === 'system') return null;
  return [
    EVERYBODY,
    `owner:${caller.subject}`,
    ...caller.roles.map((role) => `role:${role}`),
    ...caller.groups.map((group) => `group:${group}`),
  ];
}

/** Whether a caller with these keys may read what these readers may. */
export const mayRead = (keys: readonly ReaderKey[] | null, readers: readonly ReaderKey[]): boolean =>
  keys === null || readers.some((reader) => keys.includes(reader));

/**
 * Who may read a document, as its uploader asks for it: roles and groups; none named means everybody who may search. The
 * owner always may.
 * @throws AppError `invalid`
 */
export function readersOf(asked: readonly string[], owner: string): ReaderKey[] {
  const wrong = asked.find((reader) => reader !== EVERYBODY && reader !== 'owner' && !READER.test(reader));
  if (wrong !== undefined)
    throw invalid(`"${wrong.slice(0, 60)}" names nobody; write role:<role>, group:<group>, owner or *`);
  if (asked.length > MOST_READERS) throw invalid(`${asked.length} readers are too many; ${MOST_READERS} are the most`);
  if (asked.length === 0 || asked.includes(EVERYBODY)) return [EVERYBODY];
  return [...new Set([`owner:${owner}`, ...asked.filter((reader) => reader !== 'owner')])].toSorted();
}

const invalid = (message: string): AppError =>
  new AppError('invalid', `readers: ${message}`, [{ path: 'readers', message }]);
