import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import type { Found } from './keyword-leg.js';
import type { Scope } from './search-scope.js';

const MOST = 100;

/** Finds the chunks of the provisions that a question names. */
@Injectable()
export class ProvisionLookup {
  constructor(private readonly source: DataSource) {}

  /** In the order of the provisions, and of the chunks in each. */
  async find(provisions: string[], { readers, documentIds }: Scope): Promise<Found[]> {
    if (provisions.length === 0) return [];
    const rows = await rowsOf<{ chunk_id: string; document_id: string }>(
      this.source,
      `SELECT c.chunk_id, c.document_id FROM documents_chunk c JOIN documents_document d USING (document_id)
        WHERE c.provision = ANY ($1::text[]) AND ($2::text[] IS NULL OR d.readers && $2)
          AND ($3::uuid[] IS NULL OR d.document_id = ANY ($3))
        ORDER BY array_position($1::text[], c.provision), c.document_id, c.ordinal LIMIT ${MOST}`,
      [provisions, readers, documentIds],
    );
    return rows.map(({ chunk_id, document_id }) => ({ chunkId: chunk_id, documentId: document_id, score: 1 }));
  }
}
