import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import { isUuid } from '../../kernel/uuid.js';
import type { Caller } from '../security/principal.port.js';
import type { SearchFilters } from '../search/document-search.port.js';
import { documentConditions } from './document-conditions.port.js';
import { DocumentReader } from './document-reader.port.js';
import { mayRead, readerKeysOf } from './readers.port.js';
import type { StoredChunk, StoredDocument } from './replica.port.js';

type HeadRow = Omit<StoredDocument, 'chunks'>;

const HEAD = `
SELECT d.document_id AS "documentId", d.version, d.owner, d.readers, v.filename, v.title, v.kind, v.language, v.sha256, d.tags,
    v.terms, v.metadata, to_char(d.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "createdAt"
  FROM documents_document d JOIN documents_version v USING (document_id, version)
  WHERE d.document_id = $1`;

const CHUNKS = `
SELECT chunk_id AS "chunkId", ordinal, content, path, provision, page, ocr_confidence AS "ocrConfidence", refs AS "references"
  FROM documents_chunk WHERE document_id = $1 ORDER BY ordinal`;

/** Reads documents as the stores get them. */
@Injectable()
export class DocumentDatabase extends DocumentReader {
  constructor(private readonly source: DataSource) {
    super();
  }

  /** The current version, whoever asks; null: there is none. Head and chunks are of one version. */
  async stored(documentId: string): Promise<StoredDocument | null> {
    return this.source.transaction('REPEATABLE READ', async (sql) => {
      const [head] = await rowsOf<HeadRow>(sql, HEAD, [documentId]);
      if (!head) return null;
      return { ...head, chunks: await rowsOf<StoredChunk>(sql, CHUNKS, [documentId]) };
    });
  }

  async document(documentId: string, caller: Caller): Promise<StoredDocument | null> {
    // Ids of a request may be anything; what is none names no document.
    if (!isUuid(documentId)) return null;
    const [head] = await rowsOf<HeadRow>(this.source, HEAD, [documentId]);
    return head && mayRead(readerKeysOf(caller), head.readers) ? this.stored(documentId) : null;
  }

  async matching(filters: SearchFilters, limit: number, caller: Caller): Promise<string[]> {
    const { conditions, values } = documentConditions(filters);
    const rows = await rowsOf<{ document_id: string }>(
      this.source,
      `SELECT document_id FROM documents_document d JOIN documents_version v USING (document_id, version)
        WHERE ($1::text[] IS NULL OR d.readers && $1) ${conditions.map((condition) => `AND ${condition}`).join(' ')}
        ORDER BY document_id LIMIT ${limit}`,
      [readerKeysOf(caller), ...values],
    );
    return rows.map(({ document_id }) => document_id);
  }

  async *documents(documentIds: string[], caller: Caller): AsyncIterable<StoredDocument> {
    for (const documentId of documentIds) {
      const document = await this.document(documentId, caller);
      if (document) yield document;
    }
  }
}
