import type { DataSource } from 'typeorm';
import { StoreUnavailable, type Holding, type StoredDocument } from '../../modules/documents/replica.port.js';
import {
  VectorStore,
  type Near,
  type NearestQuery,
  type VectorSpace,
} from '../../modules/documents/vector-store.port.js';
import { mergedHoldings } from '../stores/holdings.js';
import { PostgresCalls } from '../stores/postgres-calls.js';
import { partsOf, STORE_TIMEOUT_MS } from '../stores/store-call.js';
import { nearestIn, vectorText } from './pgvector-search.js';
import { checkPut, checkQuery, checkSpace, checkSpaceId } from './vector-checks.js';

/** Vectors a statement; each has the timeout for itself, and a put that broke off is gone on with by `present`. */
const BATCH = 200;
const OLDEST = [0, 8] as const;

const tableOf = ({ id }: { id: string }): string => `store_vectors_${id}`;

/** Half precision where an index can have it; no index has more numbers. */
const typeOf = ({ dimension }: VectorSpace): string => (dimension <= 4000 ? 'halfvec' : 'vector');

const upsert = (space: VectorSpace): string => `
INSERT INTO ${tableOf(space)} AS held (chunk_id, document_id, version, access, embedding)
  SELECT given.id, $3::uuid, $4::integer, $5::integer, given.vector
    FROM unnest($1::uuid[], $2::${typeOf(space)}[]) AS given (id, vector)
  ON CONFLICT (chunk_id) DO UPDATE SET document_id = excluded.document_id, version = excluded.version,
    access = excluded.access, embedding = excluded.embedding
    WHERE (held.document_id, held.version, held.access) IS DISTINCT FROM
      (excluded.document_id, excluded.version, excluded.access) OR held.embedding <> excluded.embedding`;

const holdingsIn = (table: string): string => `
SELECT document_id AS "documentId", max(version) AS version, count(*) AS chunks FROM ${table}
  WHERE $1::uuid IS NULL OR document_id > $1::uuid GROUP BY document_id ORDER BY document_id LIMIT $2`;

/** Vectors as half-precision columns of the application's own database, one table a space, with an HNSW index each. */
export class PgvectorStore extends VectorStore {
  readonly name = 'pgvector';
  readonly #calls: PostgresCalls;

  constructor(source: DataSource, timeoutMs = STORE_TIMEOUT_MS) {
    super();
    this.#calls = new PostgresCalls(this.name, source, timeoutMs);
  }

  async check(): Promise<void> {
    const statement = `SELECT extversion AS version FROM pg_extension WHERE extname = 'vector'`;
    const [row] = await this.#calls.rows<{ version: string }>(statement);
    const [major = 0, minor = 0] = row?.version.split('.').map(Number) ?? [];
    if (row && (major > OLDEST[0] || minor >= OLDEST[1])) return;
    const found = row ? `is pgvector ${row.version}` : 'has no pgvector';
    throw new StoreUnavailable(
      this.name,
      `the database ${found}; install pgvector ${OLDEST.join('.')} or newer on its server, and run ` +
        `CREATE EXTENSION vector (or ALTER EXTENSION vector UPDATE) in the database as a superuser`,
    );
  }

  async open(space: VectorSpace): Promise<void> {
    checkSpace(space);
    const known = await this.#spaces();
    const held = known.find(({ id }) => id === space.id);
    if (held && held.dimension !== space.dimension)
      throw new RangeError(
        `the space ${space.id} holds vectors of ${held.dimension} numbers, not of ${space.dimension}`,
      );
    if (held) return;
    await this.#calls
      .rows('SELECT store_open_space($1, $2)', [space.id, space.dimension])
      .catch(async (error: unknown) => {
        // Without pgvector that says more than the error does.
        await this.check();
        throw error;
      });
  }

  async drop(spaceId: string): Promise<void> {
    checkSpaceId(spaceId);
    await this.#calls.rows('SELECT store_drop_space($1)', [spaceId]);
  }

  async present(space: VectorSpace, { documentId, version }: StoredDocument): Promise<Set<string>> {
    checkSpace(space);
    const statement = `SELECT chunk_id AS id FROM ${tableOf(space)} WHERE document_id = $1 AND version = $2`;
    const rows = await this.#calls.rows<{ id: string }>(statement, [documentId, version]);
    return new Set(rows.map(({ id }) => id));
  }

  async put(space: VectorSpace, document: StoredDocument, vectors: ReadonlyMap<string, number[]>): Promise<void> {
    checkPut(space, document, vectors);
    const { documentId, version } = document;
    const access = await this.#calls.accessOf(document.readers);
    const readers = `UPDATE ${tableOf(space)} SET access = $3 WHERE document_id = $1 AND version = $2 AND access <> $3`;
    await this.#calls.rows(readers, [documentId, version, access]);
    // In one order everywhere, so that two puts of one document wait for each other instead of for ever.
    const ordered = [...vectors].toSorted(([a], [b]) => (a < b ? -1 : 1));
    for (const part of partsOf(ordered, BATCH)) {
      const columns = [part.map(([id]) => id), part.map(([, vector]) => vectorText(vector))];
      await this.#calls.rows(upsert(space), [...columns, documentId, version, access]);
    }
  }

  async prune(space: VectorSpace, { documentId, version }: StoredDocument): Promise<void> {
    checkSpace(space);
    const statement = `DELETE FROM ${tableOf(space)} WHERE document_id = $1 AND version < $2`;
    await this.#calls.rows(statement, [documentId, version]);
  }

  async nearest(space: VectorSpace, query: NearestQuery): Promise<Near[]> {
    checkQuery(space, query);
    return this.#calls.transaction((sql) => nearestIn(sql, { table: tableOf(space), type: typeOf(space), query }));
  }

  async holdingsOf(space: VectorSpace, after: string | null, limit: number): Promise<Holding[]> {
    checkSpace(space);
    return this.#calls.rows<Holding>(holdingsIn(tableOf(space)), [after, limit]);
  }

  async holdings(after: string | null, limit: number): Promise<Holding[]> {
    const spaces = await this.#spaces();
    return mergedHoldings(await Promise.all(spaces.map((space) => this.holdingsOf(space, after, limit))), limit);
  }

  async remove(documentId: string): Promise<void> {
    for (const space of await this.#spaces())
      await this.#calls.rows(`DELETE FROM ${tableOf(space)} WHERE document_id = $1`, [documentId]);
  }

  /** The pool belongs to the application. */
  async close(): Promise<void> {}

  #spaces(): Promise<VectorSpace[]> {
    return this.#calls.rows<VectorSpace>('SELECT space AS id, dimension FROM store_vector_spaces ORDER BY space');
  }
}
