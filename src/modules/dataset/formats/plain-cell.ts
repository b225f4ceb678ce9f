import { cellOf } from './csv-rows.js';

/** A cell of a table as JSON has it: whole numbers of 64 bits, dates and bytes are none; text may be JSON itself. */
export function plainCell(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string') return cellOf(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(plainCell);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainCell(inner)]));
}
