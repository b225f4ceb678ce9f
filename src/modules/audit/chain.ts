import { hash } from 'node:crypto';

/** A row of the trail with every column as PostgreSQL writes it as text, in the order of the canonical form. */
export const columns = [
  'id',
  'time',
  'actor',
  'roles',
  'via',
  'certificate',
  'action',
  'target_type',
  'target_id',
  'outcome',
  'address',
  'request_id',
  'detail',
] as const;
export type StoredRow = Readonly<Record<(typeof columns)[number], string | null>>;

/** The same as a list for SELECT; the time as whole microseconds since 1970. */
export const columnsAsText = columns
  .map((name) => (name === 'time' ? `(extract(epoch FROM r.time) * 1000000)::bigint::text` : `r.${name}::text`))
  .map((expression, place) => `${expression} AS ${columns[place]}`)
  .join(', ');

/** Before the first link. */
export const GENESIS = '0'.repeat(64);

/** Each column as `<bytes in UTF-8>:<text>`, or `-` for NULL, and a semicolon; so no two rows have one form. */
export function canonical(row: StoredRow): string {
  let form = '';
  for (const name of columns) {
    const value = row[name];
    form += value === null ? '-;' : `${Buffer.byteLength(value)}:${value};`;
  }
  return form;
}

/** SHA-256 over the previous hash (64 hexadecimal digits) and the canonical form of the row, as hexadecimal digits. */
export const linkHash = (previous: string, row: StoredRow): string => hash('sha256', previous + canonical(row));
