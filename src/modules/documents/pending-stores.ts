import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import { DocumentNews } from './document-news.js';
import { type Pending, SettledDocuments } from './settled-documents.port.js';

/** Reads what the table of the stores says. */
@Injectable()
export class PendingStores extends SettledDocuments {
  constructor(
    private readonly source: DataSource,
    private readonly news: DocumentNews,
  ) {
    super();
  }

  async pending(documentIds: readonly string[]): Promise<Map<string, Pending[]>> {
    const rows = await rowsOf<{ document_id: string; pending: Pending[] }>(
      this.source,
      `SELECT document_id, jsonb_agg(jsonb_build_object('store', store, 'reason', error) ORDER BY store) AS pending
        FROM documents_replica WHERE document_id = ANY ($1::uuid[]) AND wanted > applied GROUP BY document_id`,
      [documentIds],
    );
    return new Map(rows.map(({ document_id, pending }) => [document_id, pending]));
  }

  onRemoved(listener: (hashes: string[]) => void): () => void {
    return this.news.onRemoved(listener);
  }

  onSettled(listener: () => void): () => void {
    return this.news.on('settled', listener);
  }
}
