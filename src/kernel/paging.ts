import { AppError } from './errors.js';

/** An opaque position in a list that is ordered by a falling number. */
export function encodeCursor(position: number): string {
  return Buffer.from(`v1:${position}`).toString('base64url');
}

/** @throws AppError `invalid` for anything that encodeCursor did not make */
export function decodeCursor(cursor: string): number {
  const [, position] = /^v1:(\d+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  const value = Number(position);
  if (Number.isSafeInteger(value)) return value;
  throw new AppError(
    'invalid',
    `cursor: "${cursor.slice(0, 40)}" is not a cursor of this list; take next_cursor as it came`,
    [{ path: 'cursor', message: 'not a cursor of this list' }],
  );
}
