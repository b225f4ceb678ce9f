import type { Holding } from '../../modules/documents/replica.port.js';

/** What several places hold, each document once: its newest version, with the most chunks that one place has of it. */
export function mergedHoldings(lists: readonly Holding[][], limit: number): Holding[] {
  const merged = new Map<string, Holding>();
  for (const holding of lists.flat()) {
    const { documentId, version, chunks } = merged.get(holding.documentId) ?? holding;
    merged.set(documentId, {
      documentId,
      version: Math.max(version, holding.version),
      chunks: Math.max(chunks, holding.chunks),
    });
  }
  return [...merged.values()].toSorted((a, b) => (a.documentId < b.documentId ? -1 : 1)).slice(0, limit);
}
