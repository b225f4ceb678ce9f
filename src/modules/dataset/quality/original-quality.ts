const WANTED = ['title', 'domain', 'document_type'];

/**
 * The quality of the original system (VCC-Clara, `shared/database/dataset_search.py`), 0.1 to 1: 0.4 for more than 1,000
 * characters, 0.3 for more than 500, 0.2 for more than 200, else 0.1; plus 0.3 times the share of title, domain and
 * document_type in the metadata; plus 0.3 times the relevance (0 to 1).
 */
export function originalQuality(text: string, metadata: Readonly<Record<string, unknown>>, relevance: number): number {
  const characters = Array.from(text).length;
  const length = characters > 1000 ? 0.4 : characters > 500 ? 0.3 : characters > 200 ? 0.2 : 0.1;
  const present = WANTED.filter((key) => metadata[key] !== undefined).length;
  const quality = length + (0.3 * present) / WANTED.length + 0.3 * Math.min(1, Math.max(0, relevance));
  return Math.round(quality * 10_000) / 10_000;
}
