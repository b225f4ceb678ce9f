import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify';
import { columns as storedColumns } from './chain.js';
import type { AuditRowDto } from './audit.dto.js';

/** A spreadsheet must not take a value for a formula. */
export const harmless = (value: string): string => (/^[=+\-@\t\r]/.test(value) ? `'${value}` : value);

const csvCell = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  return harmless(typeof value === 'string' ? value : JSON.stringify(value));
};

/** Those of the chain; the actor by name where there is one, and always by pseudonym. */
const columns: (keyof AuditRowDto)[] = storedColumns.flatMap((name) =>
  name === 'actor' ? (['actor', 'pseudonym'] as const) : [name],
);

/** The rows as text, made as they are taken. */
export function exported(rows: AsyncIterable<AuditRowDto>, format: 'csv' | 'jsonl'): Readable {
  if (format === 'jsonl') return Readable.from(lines(rows));
  const source = Readable.from(cells(rows));
  const csv = stringify({ header: true, columns: columns.map((key) => ({ key })) });
  source.on('error', (error) => csv.destroy(error));
  csv.on('close', () => source.destroy());
  return source.pipe(csv);
}

async function* lines(rows: AsyncIterable<AuditRowDto>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`;
}

async function* cells(rows: AsyncIterable<AuditRowDto>): AsyncGenerator<Record<string, string>> {
  for await (const row of rows) yield Object.fromEntries(columns.map((name) => [name, csvCell(row[name])]));
}
