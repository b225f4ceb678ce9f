import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../../kernel/errors.js';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import { isUuid } from '../../kernel/uuid.js';
import { AuditTrail } from '../audit/audit.port.js';
import { isAdmin, type Caller } from '../security/principal.port.js';
import type {
  ChangeDocumentDto,
  ChunkDto,
  DocumentDto,
  DocumentListDto,
  DocumentRemovedDto,
  ListDocumentsQuery,
} from './document.dto.js';
import { DocumentDatabase } from './document.store.js';
import { holds, otherHolders, releaseAll } from './document-holders.js';
import { DocumentNews } from './document-news.js';
import { INDEX_LOCK, removeFromIndex } from './keyword-index.js';
import { EVERYBODY, mayRead, readerKeysOf, readersOf } from './readers.port.js';
import { SettledDocuments } from './settled-documents.port.js';
import { StoreTargets } from './store-targets.js';

type Row = Omit<DocumentDto, 'pending' | 'created_at' | 'updated_at'> & { created_at: Date; updated_at: Date };

const COLUMNS = `d.document_id, d.version, v.filename, v.names, v.title, v.kind, v.language, v.law, v.bytes AS size_bytes, v.sha256,
  v.characters, v.pages, v.chunks, d.owner, d.readers, d.tags, v.warnings, v.metadata, d.created_at, d.updated_at`;
const FROM = 'FROM documents_document d JOIN documents_version v USING (document_id, version)';

/** The documents themselves: listed, looked at, changed in who may read them, removed. */
@Injectable()
export class DocumentsService {
  constructor(
    private readonly source: DataSource,
    private readonly database: DocumentDatabase,
    private readonly targets: StoreTargets,
    private readonly settled: SettledDocuments,
    private readonly news: DocumentNews,
    private readonly audit: AuditTrail,
  ) {}

  /** Newest first. */
  async list({ limit, cursor }: ListDocumentsQuery, caller: Caller): Promise<DocumentListDto> {
    const keys = readerKeysOf(caller);
    const after = cursor ? decodePlace(cursor) : null;
    const rows = await rowsOf<Row & { place: string }>(
      this.source,
      `SELECT ${COLUMNS}, d.created_at::text AS place ${FROM}
        WHERE ($1::text[] IS NULL OR d.readers && $1)
          AND ($2::timestamptz IS NULL OR (d.created_at, d.document_id) < ($2, $3::uuid))
        ORDER BY d.created_at DESC, d.document_id DESC LIMIT $4`,
      [keys, after?.time ?? null, after?.id ?? null, limit],
    );
    const [total] = await rowsOf<{ documents: number }>(
      this.source,
      'SELECT count(*)::int AS documents FROM documents_document WHERE $1::text[] IS NULL OR readers && $1',
      [keys],
    );
    const last = rows.at(-1);
    return {
      documents: await this.#views(rows),
      total_count: total?.documents ?? 0,
      next_cursor: last && rows.length === limit ? encodePlace(last.place, last.document_id) : null,
    };
  }

  async get(documentId: string, caller: Caller): Promise<DocumentDto> {
    const [view] = await this.#views([await this.#find(documentId, caller)]);
    if (!view) throw notFound(documentId);
    return view;
  }

  async chunks(documentId: string, caller: Caller): Promise<ChunkDto[]> {
    const document = await this.database.document((await this.#find(documentId, caller)).document_id, caller);
    if (!document) throw notFound(documentId);
    return document.chunks.map(({ chunkId, ocrConfidence, ...chunk }) => ({
      chunk_id: chunkId,
      ...chunk,
      ocr_confidence: ocrConfidence ?? null,
    }));
  }

  async change(documentId: string, request: ChangeDocumentDto, caller: Caller): Promise<DocumentDto> {
    const { owner } = await this.#own(documentId, caller, 'change');
    const asked = request.readers ? readersOf(request.readers, owner) : null;
    await inTransaction(this.source, async (sql) => {
      const readers = asked && withHolders(asked, await otherHolders(sql, documentId));
      await sql.query(
        `UPDATE documents_document SET readers = coalesce($2, readers), tags = coalesce($3, tags), updated_at = now()
          WHERE document_id = $1`,
        [documentId, readers, request.tags ?? null],
      );
      await this.targets.want(sql, [documentId]);
      await this.audit.record(sql, caller, entryOf('change', documentId, { readers, tags: request.tags ?? null }));
    });
    this.news.changed(documentId);
    return this.get(documentId, caller);
  }

  /**
   * At once gone from the search by word; the stores follow as soon as they can. While others hold it too it stays, and is
   * theirs: whoever holds it takes only the own names back, an admin who does not hold it removes it for all.
   */
  async remove(documentId: string, caller: Caller): Promise<DocumentRemovedDto> {
    await this.#own(documentId, caller, 'remove');
    const hashes = await inTransaction(this.source, async (sql) => {
      await sql.query(INDEX_LOCK);
      await sql.query('SELECT FROM documents_document WHERE document_id = $1 FOR UPDATE', [documentId]);
      if (await this.#isLeftToOthers(sql, documentId, caller)) return null;
      await removeFromIndex(sql, documentId);
      const rows = await rowsOf<{ sha256: string }>(
        sql,
        'SELECT DISTINCT sha256 FROM documents_version WHERE document_id = $1',
        [documentId],
      );
      await sql.query('DELETE FROM documents_document WHERE document_id = $1', [documentId]);
      await this.targets.want(sql, [documentId]);
      await this.audit.record(sql, caller, entryOf('remove', documentId, {}));
      return rows.map(({ sha256 }) => sha256);
    });
    this.news.changed(documentId);
    if (hashes === null) return { success: true, message: `Removed for you; others hold the document: ${documentId}` };
    this.news.removed(hashes);
    return { success: true, message: `Document removed: ${documentId}` };
  }

  async #isLeftToOthers(sql: Sql, documentId: string, caller: Caller): Promise<boolean> {
    if (!(await holds(sql, documentId, caller.subject))) return false;
    if (!(await releaseAll(sql, documentId, caller.subject))) return false;
    await this.targets.want(sql, [documentId]);
    await this.audit.record(sql, caller, entryOf('remove', documentId, { kept_by_others: true }));
    return true;
  }

  async #find(documentId: string, caller: Caller): Promise<Row> {
    const [row] = isUuid(documentId)
      ? await rowsOf<Row>(this.source, `SELECT ${COLUMNS} ${FROM} WHERE d.document_id = $1`, [documentId])
      : [];
    if (!row || !mayRead(readerKeysOf(caller), [...row.readers, `owner:${row.owner}`])) throw notFound(documentId);
    return row;
  }

  async #own(documentId: string, caller: Caller, verb: string): Promise<Row> {
    const row = await this.#find(documentId, caller);
    if (isAdmin(caller) || row.owner === caller.subject) return row;
    if (verb === 'remove' && (await holds(this.source.manager, documentId, caller.subject))) return row;
    this.audit.refused(caller, { action: `documents.${verb}`, target: { type: 'document', id: documentId } });
    throw new AppError('forbidden', `Document ${documentId} is not yours: only its owner or an admin may ${verb} it`);
  }

  async #views(rows: Row[]): Promise<DocumentDto[]> {
    const pending = await this.settled.pending(rows.map(({ document_id }) => document_id));
    return rows.map(({ created_at, updated_at, ...row }) => ({
      ...withoutPlace(row),
      created_at: created_at.toISOString(),
      updated_at: updated_at.toISOString(),
      pending: pending.get(row.document_id) ?? [],
    }));
  }
}

/** Whoever holds the same document may read it, whatever its owner says. */
const withHolders = (readers: string[], others: readonly string[]): string[] =>
  readers.includes(EVERYBODY)
    ? readers
    : [...new Set([...readers, ...others.map((owner) => `owner:${owner}`)])].toSorted();

const notFound = (documentId: string): AppError =>
  new AppError('not_found', `Document not found: ${documentId.slice(0, 100)}`);

const entryOf = (verb: string, id: string, detail: Record<string, unknown>) => ({
  action: `documents.${verb}`,
  target: { type: 'document', id },
  outcome: 'done' as const,
  detail,
});

function withoutPlace<T extends object>(row: T): T {
  const { place: _, ...rest } = row as T & { place?: string };
  return rest as T;
}

const encodePlace = (time: string, id: string): string => Buffer.from(`${time} ${id}`).toString('base64url');

function decodePlace(cursor: string): { time: string; id: string } {
  const text = Buffer.from(cursor, 'base64url').toString();
  const [, time, id] = /^(\d{4}-\d{2}-\d{2} [\d:.]+[+-][\d:]+) ([0-9a-f-]{36})$/.exec(text) ?? [];
  if (time && id && isUuid(id)) return { time, id };
  throw new AppError(
    'invalid',
    `cursor: "${cursor.slice(0, 40)}" is not a cursor of this list; take next_cursor as it came`,
    [{ path: 'cursor', message: 'not a cursor of this list' }],
  );
}
