import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import type { Explanation, SearchHit, Signal } from './document-search.port.js';
import type { Scope } from './search-scope.js';

/** A chunk with its place in the answer, before its text is read. */
export interface RankedChunk {
  chunkId: string;
  documentId: string;
  score: number;
  source: Signal;
  signals: Explanation['signals'];
  matched: string[];
  graphPath: Explanation['graphPath'];
  isExact: boolean;
}

type ChunkRow = Pick<
  SearchHit,
  | 'chunkId'
  | 'documentId'
  | 'version'
  | 'content'
  | 'filename'
  | 'title'
  | 'path'
  | 'page'
  | 'provision'
  | 'language'
  | 'metadata'
> & {
  related: string[] | null;
};

const MOST_RELATED = 10;

/** Whether a text was recognised in pictures is said of the hit, not of its document. The documents of provisions that a chunk refers to are related to it. */
const READ = `
SELECT c.chunk_id AS "chunkId", c.document_id AS "documentId", d.version, c.content, v.filename, v.title, c.path, c.page,
    c.provision, v.language,
    v.metadata - '{ocr_pages,ocr_confidence}'::text[] || jsonb_strip_nulls(jsonb_build_object(
      'document_type', v.kind, 'law', v.law, 'ocr_confidence', c.ocr_confidence::text)) AS metadata,
    (SELECT array_agg(DISTINCT other.document_id) FROM (
        SELECT r.document_id FROM documents_chunk r JOIN documents_document rd USING (document_id)
          WHERE r.provision = ANY (c.refs) AND r.document_id <> c.document_id AND ($2::text[] IS NULL OR rd.readers && $2)
          LIMIT ${MOST_RELATED}) AS other) AS related
  FROM documents_chunk c JOIN documents_document d USING (document_id) JOIN documents_version v USING (document_id, version)
  WHERE c.chunk_id = ANY ($1::uuid[]) AND ($2::text[] IS NULL OR d.readers && $2)`;

/** Reads the text of hits. A chunk that went away meanwhile, or that a store should not have given out, is left out. */
@Injectable()
export class HitReader {
  constructor(private readonly source: DataSource) {}

  async read(ranked: RankedChunk[], { readers }: Scope): Promise<SearchHit[]> {
    const rows = await rowsOf<ChunkRow>(this.source, READ, [ranked.map(({ chunkId }) => chunkId), readers]);
    const byChunk = new Map(rows.map((row) => [row.chunkId, row]));
    return ranked.flatMap((chunk) => {
      const row = byChunk.get(chunk.chunkId);
      return row ? [hitOf(chunk, row)] : [];
    });
  }
}

function hitOf(
  { score, source, signals, matched, graphPath, isExact }: RankedChunk,
  { related, ...row }: ChunkRow,
): SearchHit {
  return {
    ...row,
    score,
    source,
    relatedDocuments: related ?? [],
    explain: { signals, matched, graphPath, exactProvision: isExact },
  };
}
