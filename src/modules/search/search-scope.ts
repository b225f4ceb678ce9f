import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../../kernel/errors.js';
import { rowsOf } from '../../kernel/transaction.js';
import { documentConditions } from '../documents/document-conditions.port.js';
import { readerKeysOf } from '../documents/readers.port.js';
import type { ReaderKey } from '../documents/replica.port.js';
import type { Caller } from '../security/principal.port.js';
import type { SearchFilters } from './document-search.port.js';

/** What a search may look at. */
export interface Scope {
  /** Keys of the caller; null: everything. */
  readers: ReaderKey[] | null;
  /** Documents that the filters leave; null: they leave all. */
  documentIds: string[] | null;
  /** Chunks of these documents together; null where all are left. */
  chunks: number | null;
}

const MOST_DOCUMENTS = 100_000;

/** Finds the documents that the filters of a search leave, among those that the caller may read. */
@Injectable()
export class SearchScopes {
  constructor(private readonly source: DataSource) {}

  async of(filters: SearchFilters, caller: Caller): Promise<Scope> {
    const readers = readerKeysOf(caller);
    const { conditions, values } = documentConditions(filters);
    if (conditions.length === 0) return { readers, documentIds: null, chunks: null };
    const rows = await rowsOf<{ document_id: string; chunks: number }>(
      this.source,
      `SELECT document_id, v.chunks FROM documents_document d JOIN documents_version v USING (document_id, version)
        WHERE ($1::text[] IS NULL OR d.readers && $1) AND ${conditions.join(' AND ')} LIMIT ${MOST_DOCUMENTS + 1}`,
      [readers, ...values],
    );
    if (rows.length > MOST_DOCUMENTS)
      throw new AppError(
        'invalid',
        `filters: more than ${MOST_DOCUMENTS} documents match; filter more narrowly, or not at all`,
      );
    return {
      readers,
      documentIds: rows.map(({ document_id }) => document_id),
      chunks: rows.reduce((sum, { chunks }) => sum + chunks, 0),
    };
  }
}
