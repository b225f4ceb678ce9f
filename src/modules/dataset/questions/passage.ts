import type { StoredChunk, StoredDocument } from '../../documents/replica.port.js';

/** A piece of a document that a row is made of: a chunk, or a whole provision. */
export interface Passage {
  documentId: string;
  documentVersion: number;
  /** The chunk, or the first of several. */
  chunkId: string;
  title: string;
  filename: string;
  /** Headings above it, outermost first. */
  path: readonly string[];
  page: number | null;
  /** Such as `vwvfg:35`. */
  provision: string | null;
  language: string;
  content: string;
  /** Of the search, 0 to 1. */
  relevance: number | null;
  /** Facts of the document and of the passage, as a row's metadata has them. */
  metadata: Readonly<Record<string, unknown>>;
}

const LONGEST_OVERLAP = 2000;
const SHORTEST_OVERLAP = 20;

/** Two neighbouring chunks without the words that stand in both. */
export function joined(first: string, second: string): string {
  for (let size = Math.min(LONGEST_OVERLAP, first.length, second.length); size >= SHORTEST_OVERLAP; size -= 1)
    if (first.endsWith(second.slice(0, size))) return first + second.slice(size);
  return `${first}\n${second}`;
}

/** What the original's quality asks for (title, domain, document_type), and where the passage stands. */
export function passageMetadata(
  document: Pick<StoredDocument, 'title' | 'filename' | 'kind' | 'language' | 'metadata'>,
  place: Pick<StoredChunk, 'path' | 'page' | 'provision'>,
): Record<string, unknown> {
  const law = place.provision?.split(':')[0];
  return {
    ...document.metadata,
    title: document.title,
    domain: document.metadata['domain'] ?? (law ? law.toUpperCase() : undefined),
    document_type: document.metadata['document_type'] ?? document.kind,
    filename: document.filename,
    language: document.language,
    path: place.path,
    ...(place.page === null ? {} : { page: place.page }),
    ...(place.provision === null ? {} : { provision: place.provision }),
  };
}

const passageOf = (document: StoredDocument, chunk: StoredChunk): Passage => ({
  documentId: document.documentId,
  documentVersion: document.version,
  chunkId: chunk.chunkId,
  title: document.title,
  filename: document.filename,
  path: chunk.path,
  page: chunk.page,
  provision: chunk.provision,
  language: document.language,
  content: chunk.content,
  relevance: null,
  metadata: passageMetadata(document, chunk),
});

export const chunkPassages = (document: StoredDocument): Passage[] =>
  document.chunks.map((chunk) => passageOf(document, chunk));

/** Neighbouring chunks of one provision are one passage. */
export function provisionPassages(document: StoredDocument): Passage[] {
  const passages: Passage[] = [];
  for (const passage of chunkPassages(document)) {
    const last = passages.at(-1);
    if (last && passage.provision !== null && last.provision === passage.provision)
      passages[passages.length - 1] = { ...last, content: joined(last.content, passage.content) };
    else passages.push(passage);
  }
  return passages;
}
