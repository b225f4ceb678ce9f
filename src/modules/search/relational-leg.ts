import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import type { Found } from './keyword-leg.js';
import type { Question } from './question.js';
import type { Scope } from './search-scope.js';

/** Words shorter than this are in every title. */
const SHORTEST = 3;

/** Finds documents by what is recorded of them: title, file name, tags. The first chunk of each stands for it. */
@Injectable()
export class RelationalLeg {
  constructor(private readonly source: DataSource) {}

  async find({ text }: Question, { readers, documentIds }: Scope, limit: number): Promise<Found[]> {
    const words = [...new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])].filter(
      (word) => word.length >= SHORTEST,
    );
    if (words.length === 0) return [];
    const rows = await rowsOf<{ chunk_id: string; document_id: string; score: number }>(
      this.source,
      `SELECT c.chunk_id, found.document_id, found.score FROM (
          SELECT d.document_id, (SELECT count(*) FROM unnest($1::text[]) AS word WHERE strpos(called.text, word) > 0)::float8
              / cardinality($1::text[]) AS score
            FROM documents_document d JOIN documents_version v USING (document_id, version)
              CROSS JOIN LATERAL (SELECT lower(v.title || ' ' || d.name || ' ' || array_to_string(d.tags, ' ')) AS text
                OFFSET 0) AS called
            WHERE ($2::text[] IS NULL OR d.readers && $2) AND ($3::uuid[] IS NULL OR d.document_id = ANY ($3))
            ORDER BY score DESC, d.document_id LIMIT $4) AS found
        JOIN documents_chunk c ON c.document_id = found.document_id AND c.ordinal = 0
        WHERE found.score > 0 ORDER BY found.score DESC, found.document_id`,
      [words, readers, documentIds, limit],
    );
    return rows.map(({ chunk_id, document_id, score }) => ({ chunkId: chunk_id, documentId: document_id, score }));
  }
}
