import { open } from 'node:fs/promises';
import type { PlacedIndex } from './row-index.store.js';
import type { VersionRow } from './version-row.js';

/** The rows that stand at the given places of a rows.jsonl. */
export async function placedRows(path: string, places: readonly PlacedIndex[]): Promise<VersionRow[]> {
  if (places.length === 0) return [];
  const file = await open(path, 'r');
  const rows: VersionRow[] = [];
  try {
    for (const { place, size } of places) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, place);
      rows.push(JSON.parse(buffer.subarray(0, bytesRead).toString()) as VersionRow);
    }
  } finally {
    await file.close();
  }
  return rows;
}
