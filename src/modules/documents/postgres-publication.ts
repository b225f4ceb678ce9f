import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import { chunkId } from './chunk-id.js';
import { hold, releaseName } from './document-holders.js';
import { DocumentNews } from './document-news.js';
import {
  DocumentPublication,
  type Belonging,
  type NewChunk,
  type NewDocument,
  type Published,
} from './document-publication.port.js';
import { INDEX_ANALYSIS, termWeights } from './indexed-text.js';
import { addToIndex, INDEX_LOCK, lengthOf, removeFromIndex, type TermWeights } from './keyword-index.js';
import { StoreTargets } from './store-targets.js';

interface Head {
  documentId: string;
  version: number;
  isNew: boolean;
}

interface Weighed {
  chunk: NewChunk;
  terms: TermWeights;
}

const AT_ONCE = 2000;
const CHUNKS_A_TURN = 50;

/** Documents in PostgreSQL: text, versions, keyword index, and what the other stores are asked for, in one transaction. */
@Injectable()
export class PostgresPublication extends DocumentPublication {
  constructor(
    private readonly source: DataSource,
    private readonly targets: StoreTargets,
    private readonly news: DocumentNews,
  ) {
    super();
  }

  /** Equal bytes are the same document where the same people may read it, and it is theirs or everybody's. */
  async known(sha256: string, belonging: Belonging): Promise<Published | null> {
    const found = await inTransaction(this.source, async (sql) => {
      await lockDocument(sql, sha256);
      const [row] = await rowsOf<{
        document_id: string;
        version: number;
        chunks: number;
        characters: number;
        warnings: string[];
      }>(
        sql,
        `SELECT v.document_id, v.version, v.chunks, v.characters, v.warnings
          FROM documents_version v JOIN documents_document d USING (document_id, version)
          WHERE v.sha256 = $1 AND d.readers = $2 AND (d.owner = $3 OR '*' = ANY (d.readers))
            AND NOT EXISTS (SELECT FROM documents_holder other
              WHERE other.owner = $3 AND other.name = $4 AND other.document_id <> d.document_id)
          ORDER BY d.owner = $3 DESC, d.created_at LIMIT 1 FOR UPDATE OF d`,
        [sha256, belonging.readers, belonging.owner, belonging.name],
      );
      if (!row) return null;
      await hold(sql, row.document_id, belonging);
      if (await addTags(sql, row.document_id, belonging.tags)) await this.targets.want(sql, [row.document_id]);
      const { document_id: documentId, version, chunks, characters, warnings } = row;
      return { documentId, version, chunks, characters, warnings };
    });
    if (found) this.news.changed(found.documentId);
    return found;
  }

  async publish(document: NewDocument): Promise<Published> {
    const weighed = await weighedChunks(document);
    const published = await inTransaction(this.source, async (sql) => {
      await lockDocument(sql, document.sha256);
      await sql.query(INDEX_LOCK);
      const renamed = await releaseName(sql, document);
      const head = await writeHead(sql, document);
      await this.#replaceChunks(sql, head, weighed);
      await writeVersion(sql, head, document);
      await hold(sql, head.documentId, document);
      await this.targets.want(sql, [head.documentId, ...renamed]);
      return head;
    });
    this.news.changed(published.documentId);
    const { chunks, characters, warnings } = document;
    return {
      documentId: published.documentId,
      version: published.version,
      chunks: chunks.length,
      characters,
      warnings,
    };
  }

  async #replaceChunks(sql: Sql, head: Head, weighed: Weighed[]): Promise<void> {
    if (!head.isNew) {
      await removeFromIndex(sql, head.documentId);
      await sql.query('DELETE FROM documents_chunk WHERE document_id = $1', [head.documentId]);
    }
    for (let from = 0; from < weighed.length; from += AT_ONCE) {
      const part = weighed.slice(from, from + AT_ONCE);
      const numbers = await insertChunks(sql, head.documentId, part);
      await addToIndex(sql, new Map(part.map(({ chunk, terms }) => [numbers.get(chunk.ordinal) ?? 0, terms])));
    }
  }
}

/** The analysis of a large document takes seconds: others get their turn meanwhile. */
async function weighedChunks(document: NewDocument): Promise<Weighed[]> {
  const weighed: Weighed[] = [];
  for (const chunk of document.chunks) {
    if (weighed.length % CHUNKS_A_TURN === 0) await turn();
    weighed.push({ chunk, terms: termWeights(document, chunk) });
  }
  return weighed;
}

/** Equal files that come at the same time are taken one after the other. */
const lockDocument = (sql: Sql, sha256: string): Promise<unknown> =>
  sql.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [sha256]);

/** The upload's tags join those of the document; false where it has them all. */
async function addTags(sql: Sql, documentId: string, tags: string[]): Promise<boolean> {
  const changed = await rowsOf(
    sql,
    `UPDATE documents_document SET tags = ARRAY(SELECT DISTINCT unnest(tags || $2::text[]) ORDER BY 1)
      WHERE document_id = $1 AND NOT tags @> $2::text[] RETURNING document_id`,
    [documentId, tags],
  );
  return changed.length > 0;
}

async function writeHead(sql: Sql, { owner, name, readers, tags }: NewDocument): Promise<Head> {
  const [row] = await rowsOf<{ document_id: string; version: number }>(
    sql,
    `INSERT INTO documents_document (document_id, owner, name, readers, tags, analysis, version)
      VALUES ($1, $2, $3, $4, $5, $6, 1)
      ON CONFLICT (owner, name) DO UPDATE SET version = documents_document.version + 1, readers = excluded.readers,
        tags = excluded.tags, analysis = excluded.analysis, updated_at = now()
      RETURNING document_id, version`,
    [randomUUID(), owner, name, readers, tags, INDEX_ANALYSIS],
  );
  if (!row) throw new Error('PostgreSQL returned no row for an INSERT');
  return { documentId: row.document_id, version: row.version, isNew: row.version === 1 };
}

async function writeVersion(sql: Sql, head: Head, document: NewDocument): Promise<void> {
  await sql.query(
    `INSERT INTO documents_version (document_id, version, sha256, bytes, filename, names, kind, title, language, law, terms,
        metadata, warnings, pages, characters, chunks, created_by)
      VALUES ($1, $2, $3, $4, $5, ARRAY[$5], $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
    [
      head.documentId,
      head.version,
      document.sha256,
      document.bytes,
      document.name,
      document.kind,
      document.title,
      document.language,
      document.law,
      document.terms,
      JSON.stringify(document.metadata),
      document.warnings,
      document.pages,
      document.characters,
      document.chunks.length,
      document.owner,
    ],
  );
}

/** Answers the numbers of the chunks by their ordinals. */
async function insertChunks(sql: Sql, documentId: string, part: Weighed[]): Promise<Map<number, number>> {
  const rows = part.map(({ chunk, terms }) => ({
    ...chunk,
    chunk_id: chunkId(documentId, chunk.ordinal, chunk.content),
    length: lengthOf(terms),
  }));
  const numbers = await rowsOf<{ ordinal: number; chunk_no: number }>(
    sql,
    `INSERT INTO documents_chunk (chunk_id, document_id, ordinal, content, path, provision, page, ocr_confidence, refs, tokens, length)
      SELECT row.chunk_id, $1, row.ordinal, row.content, row.path, row.provision, row.page, row."ocrConfidence", row."references", row.tokens, row.length
        FROM jsonb_to_recordset($2::jsonb) AS row (chunk_id uuid, ordinal int, content text, path text[], provision text,
          page int, "ocrConfidence" int, "references" text[], tokens int, length real)
      RETURNING ordinal, chunk_no`,
    [documentId, JSON.stringify(rows)],
  );
  return new Map(numbers.map(({ ordinal, chunk_no }) => [ordinal, chunk_no]));
}
