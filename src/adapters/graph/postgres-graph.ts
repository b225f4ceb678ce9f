import type { DataSource } from 'typeorm';
import { rowsOf, type Sql } from '../../kernel/transaction.js';
import { GraphStore, type Neighbour, type NeighbourQuery } from '../../modules/documents/graph-store.port.js';
import type { Holding, StoredDocument } from '../../modules/documents/replica.port.js';
import { accessFor, PostgresCalls } from '../stores/postgres-calls.js';
import { partsOf, STORE_TIMEOUT_MS, timeFor } from '../stores/store-call.js';
import { linksOf, type Link } from './document-links.js';
import { checkWalk } from './graph-checks.js';
import { walk, type Joint, type Member, type MemberQuery, type StepReader } from './graph-walk.js';

const BATCH = 5000;

/** Also the lock under which all else is written. */
const DOCUMENT = `
INSERT INTO store_graph_documents (document_id, version) VALUES ($1, $2)
  ON CONFLICT (document_id) DO UPDATE SET version = excluded.version`;

const CHUNKS = 'INSERT INTO store_graph_chunks (document_id, chunk_id) SELECT $1, unnest($2::uuid[])';

const EDGES = `
INSERT INTO store_graph_edges (document_id, access, kind, key, label, chunk_id)
  SELECT $1::uuid, $2::integer, * FROM unnest($3::text[], $4::text[], $5::text[], $6::uuid[])`;

const JOINTS = `
WITH reached AS (SELECT chunk_id, document_id FROM store_graph_chunks WHERE chunk_id = ANY($1::uuid[]))
SELECT e.chunk_id AS "chunkId", e.document_id AS "documentId", e.kind, e.key, e.label FROM reached r JOIN store_graph_edges e USING (chunk_id)
  WHERE e.kind <> 'tag' AND ($2::integer[] IS NULL OR e.access = ANY($2::integer[]))
UNION ALL
SELECT r.chunk_id, e.document_id, e.kind, e.key, e.label FROM reached r JOIN store_graph_edges e ON e.document_id = r.document_id
  WHERE e.kind = 'tag' AND ($2::integer[] IS NULL OR e.access = ANY($2::integer[]))`;

/** The size is counted no further than to know a hub; a hub's members are not read. */
const MEMBERS = `
SELECT node.kind, node.key, counted.size, member.chunk_id AS "chunkId", member.document_id AS "documentId"
  FROM unnest($1::text[], $2::text[]) AS node (kind, key)
  CROSS JOIN LATERAL (SELECT count(*) AS size FROM (
    SELECT FROM store_graph_edges e WHERE e.kind = node.kind AND e.key = node.key LIMIT $3::integer + 1) AS members) AS counted
  CROSS JOIN LATERAL (SELECT e.chunk_id, e.document_id FROM store_graph_edges e
    WHERE e.kind = node.kind AND e.key = node.key AND counted.size <= $3::integer
      AND ($5::integer[] IS NULL OR e.access = ANY($5::integer[])) AND ($6::uuid[] IS NULL OR e.document_id = ANY($6::uuid[]))
    ORDER BY e.chunk_id LIMIT $4::integer) AS member`;

const HOLDINGS = `
SELECT d.document_id AS "documentId", d.version,
    (SELECT count(*) FROM store_graph_chunks c WHERE c.document_id = d.document_id) AS chunks
  FROM store_graph_documents d WHERE $1::uuid IS NULL OR d.document_id > $1::uuid ORDER BY d.document_id LIMIT $2`;

/** The graph as rows of the application's own database. */
export class PostgresGraph extends GraphStore {
  readonly name = 'postgres-graph';
  readonly #calls: PostgresCalls;

  constructor(source: DataSource, timeoutMs = STORE_TIMEOUT_MS) {
    super();
    this.#calls = new PostgresCalls(this.name, source, timeoutMs);
  }

  async check(): Promise<void> {
    await this.#calls.rows('SELECT FROM store_graph_documents LIMIT 1');
  }

  async replace(document: StoredDocument): Promise<void> {
    const { documentId, version, chunks } = document;
    const access = await this.#calls.accessOf(document.readers);
    const links = linksOf(document);
    const write = async (sql: Sql): Promise<void> => {
      await sql.query(DOCUMENT, [documentId, version]);
      for (const table of ['store_graph_edges', 'store_graph_chunks'])
        await sql.query(`DELETE FROM ${table} WHERE document_id = $1`, [documentId]);
      await sql.query(CHUNKS, [documentId, chunks.map(({ chunkId }) => chunkId)]);
      for (const part of partsOf(links, BATCH)) await sql.query(EDGES, [documentId, access, ...columnsOf(part)]);
    };
    await this.#calls.transaction(write, timeFor(document, this.#calls.timeoutMs));
  }

  async neighbours(query: NeighbourQuery): Promise<Neighbour[]> {
    checkWalk(query);
    return this.#calls.transaction((sql) => walk(stepsIn(sql), query));
  }

  async remove(documentId: string): Promise<void> {
    await this.#calls.rows('DELETE FROM store_graph_documents WHERE document_id = $1', [documentId]);
  }

  holdings(after: string | null, limit: number): Promise<Holding[]> {
    return this.#calls.rows<Holding>(HOLDINGS, [after, limit]);
  }

  /** The pool belongs to the application. */
  async close(): Promise<void> {}
}

const columnsOf = (links: readonly Link[]): string[][] => [
  links.map(({ kind }) => kind),
  links.map(({ key }) => key),
  links.map(({ label }) => label),
  links.map(({ chunkId }) => chunkId),
];

const stepsIn = (sql: Sql): StepReader => ({
  joints: async (chunkIds, readers) => rowsOf<Joint>(sql, JOINTS, [chunkIds, await accessFor(sql, readers)]),
  members: async ({ nodes, readers, documentIds, each, largest }: MemberQuery) => {
    const wanted = [nodes.map(({ kind }) => kind), nodes.map(({ key }) => key)];
    return rowsOf<Member>(sql, MEMBERS, [...wanted, largest, each, await accessFor(sql, readers), documentIds]);
  },
});
