import type { DataSource } from 'typeorm';
import { DocumentStore } from '../../modules/documents/document-store.port.js';
import type { Holding, StoredDocument } from '../../modules/documents/replica.port.js';
import { cleaned } from '../stores/clean-text.js';
import { PostgresCalls } from '../stores/postgres-calls.js';
import { STORE_TIMEOUT_MS, timeFor } from '../stores/store-call.js';

const REPLACE = `
INSERT INTO store_documents (document_id, version, chunks, document) VALUES ($1, $2, $3, $4)
  ON CONFLICT (document_id) DO UPDATE SET version = excluded.version, chunks = excluded.chunks, document = excluded.document`;

const HOLDINGS = `
SELECT document_id AS "documentId", version, chunks FROM store_documents
  WHERE $1::uuid IS NULL OR document_id > $1::uuid ORDER BY document_id LIMIT $2`;

/** Whole documents as JSONB rows of the application's own database. */
export class JsonbDocuments extends DocumentStore {
  readonly name = 'jsonb';
  readonly #calls: PostgresCalls;

  constructor(source: DataSource, timeoutMs = STORE_TIMEOUT_MS) {
    super();
    this.#calls = new PostgresCalls(this.name, source, timeoutMs);
  }

  async check(): Promise<void> {
    await this.#calls.rows('SELECT FROM store_documents LIMIT 1');
  }

  async replace(document: StoredDocument): Promise<void> {
    const { documentId, version, chunks } = document;
    const row = [documentId, version, chunks.length, JSON.stringify(cleaned(document))];
    await this.#calls.transaction((sql) => sql.query(REPLACE, row), timeFor(document, this.#calls.timeoutMs));
  }

  async read(documentId: string): Promise<StoredDocument | null> {
    const statement = 'SELECT document FROM store_documents WHERE document_id = $1';
    const [row] = await this.#calls.rows<{ document: StoredDocument }>(statement, [documentId]);
    return row?.document ?? null;
  }

  async remove(documentId: string): Promise<void> {
    await this.#calls.rows('DELETE FROM store_documents WHERE document_id = $1', [documentId]);
  }

  holdings(after: string | null, limit: number): Promise<Holding[]> {
    return this.#calls.rows<Holding>(HOLDINGS, [after, limit]);
  }

  /** The pool belongs to the application. */
  async close(): Promise<void> {}
}
