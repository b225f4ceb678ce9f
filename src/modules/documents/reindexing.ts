import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BackgroundLoop } from '../../kernel/background-loop.js';
import { Log } from '../../kernel/log.js';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import { INDEX_ANALYSIS, termWeights } from './indexed-text.js';
import { addToIndex, INDEX_LOCK, lengthOf, removeFromIndex } from './keyword-index.js';

interface ChunkRow {
  chunk_no: number;
  content: string;
  path: string[];
}

const HOUR_MS = 3_600_000;

/** Documents whose words were analysed by an earlier version of the analysis are analysed again, one at a time. */
@Injectable()
export class Reindexing implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #loop: BackgroundLoop;

  constructor(
    private readonly source: DataSource,
    private readonly log: Log,
  ) {
    this.#loop = new BackgroundLoop('reindexing', HOUR_MS, () => this.round(), log);
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.#loop.stop();
  }

  /** One document; false where there is none left. */
  async round(): Promise<boolean> {
    return inTransaction(this.source, async (sql) => {
      const [old] = await rowsOf<{ document_id: string }>(
        sql,
        `SELECT document_id FROM documents_document WHERE analysis <> $1 ORDER BY document_id LIMIT 1 FOR UPDATE SKIP LOCKED`,
        [INDEX_ANALYSIS],
      );
      if (!old) return false;
      await sql.query(INDEX_LOCK);
      await this.#reindex(sql, old.document_id);
      this.log.info('the words of a document were analysed again', { document: old.document_id });
      return true;
    });
  }

  async #reindex(sql: Sql, documentId: string): Promise<void> {
    const [titled] = await rowsOf<{ title: string; law: string | null }>(
      sql,
      'SELECT title, law FROM documents_version JOIN documents_document USING (document_id, version) WHERE document_id = $1',
      [documentId],
    );
    const chunks = await rowsOf<ChunkRow>(
      sql,
      'SELECT chunk_no, content, path FROM documents_chunk WHERE document_id = $1 ORDER BY ordinal',
      [documentId],
    );
    await removeFromIndex(sql, documentId);
    const weighed = chunks.map(
      (chunk) => [chunk.chunk_no, termWeights(titled ?? { title: '', law: null }, chunk)] as const,
    );
    await sql.query(
      `UPDATE documents_chunk c SET length = given.length
        FROM unnest($1::int[], $2::real[]) AS given (chunk_no, length) WHERE c.chunk_no = given.chunk_no`,
      [weighed.map(([chunk]) => chunk), weighed.map(([, terms]) => lengthOf(terms))],
    );
    await addToIndex(sql, new Map(weighed));
    await sql.query('UPDATE documents_document SET analysis = $2 WHERE document_id = $1', [documentId, INDEX_ANALYSIS]);
  }
}
