import { Injectable } from '@nestjs/common';
import type { Sql } from '../../kernel/transaction.js';
import { DocumentStore } from './document-store.port.js';
import { Embedder } from './embedder.port.js';
import { GraphStore } from './graph-store.port.js';
import { type StoreTarget, WholeTarget } from './store-target.js';
import { VectorSpaces } from './vector-spaces.js';
import { VectorStore } from './vector-store.port.js';
import { VectorTarget } from './vector-target.js';

/** The stores that follow the documents, and what they are asked to hold. */
@Injectable()
export class StoreTargets {
  readonly all: readonly StoreTarget[];

  constructor(
    vectors: VectorStore,
    graph: GraphStore,
    documents: DocumentStore,
    embedder: Embedder,
    spaces: VectorSpaces,
  ) {
    this.all = [
      new VectorTarget(vectors, embedder, spaces),
      new WholeTarget('graph', graph),
      new WholeTarget('documents', documents),
    ];
  }

  /** In the transaction that changes the documents: every store is to follow. */
  async want(sql: Sql, documentIds: readonly string[]): Promise<void> {
    await sql.query(
      `INSERT INTO documents_replica (store, document_id) SELECT store, document_id
          FROM unnest($1::text[]) AS store, unnest($2::uuid[]) AS document_id
        ON CONFLICT (store, document_id)
        DO UPDATE SET wanted = documents_replica.wanted + 1, attempts = 0, error = NULL, next_at = now()`,
      [this.all.map(({ key }) => key), documentIds],
    );
  }

  /**
   * Documents that a store has never heard of, as after a switch to another one, are asked of it; what waits for stores that
   * are configured no more waits for nothing.
   */
  async follow(sql: Sql): Promise<void> {
    const keys = this.all.map(({ key }) => key);
    await sql.query('DELETE FROM documents_replica WHERE store <> ALL ($1::text[])', [keys]);
    await sql.query(
      `INSERT INTO documents_replica (store, document_id) SELECT store, document_id
          FROM unnest($1::text[]) AS s (store) CROSS JOIN documents_document d
          WHERE NOT EXISTS (SELECT FROM documents_replica r WHERE r.store = s.store AND r.document_id = d.document_id)
        ON CONFLICT (store, document_id) DO NOTHING`,
      [keys],
    );
  }
}
