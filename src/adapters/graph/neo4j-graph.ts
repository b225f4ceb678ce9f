import { GraphStore, type Neighbour, type NeighbourQuery } from '../../modules/documents/graph-store.port.js';
import type { Holding, StoredDocument } from '../../modules/documents/replica.port.js';
import { cleaned } from '../stores/clean-text.js';
import { partsOf, STORE_TIMEOUT_MS, timeFor } from '../stores/store-call.js';
import { linkKinds, linksOf, type LinkKind } from './document-links.js';
import { checkWalk } from './graph-checks.js';
import { walk, type Joint, type Member, type MemberQuery, type StepReader } from './graph-walk.js';
import { Neo4jCalls, whole, type Cypher, type Neo4jConnection } from './neo4j-calls.js';
import * as statements from './neo4j-statements.js';

const BATCH = 2000;

/** The graph in a Neo4j server (5 or newer). */
export class Neo4jGraph extends GraphStore {
  readonly name = 'neo4j';
  readonly #calls: Neo4jCalls;
  #prepared: Promise<void> | undefined;

  constructor(connection: Neo4jConnection, timeoutMs = STORE_TIMEOUT_MS) {
    super();
    this.#calls = new Neo4jCalls(this.name, connection, timeoutMs);
  }

  async check(): Promise<void> {
    await this.#prepare();
    await this.#calls.read((cypher) => cypher.rows('RETURN 1 AS one'));
  }

  async replace(document: StoredDocument): Promise<void> {
    await this.#prepare();
    await this.#calls.write((cypher) => write(cypher, document), timeFor(document, this.#calls.timeoutMs));
  }

  async neighbours(query: NeighbourQuery): Promise<Neighbour[]> {
    checkWalk(query);
    return this.#calls.read((cypher) => walk(stepsIn(cypher), query));
  }

  async remove(documentId: string): Promise<void> {
    await this.#calls.write(async (cypher) => {
      const loose = await cut(cypher, documentId);
      await cypher.rows(statements.REMOVE, { id: documentId });
      await cypher.rows(statements.SWEEP, { loose });
    });
  }

  holdings(after: string | null, limit: number): Promise<Holding[]> {
    return this.#calls.read((cypher) => cypher.rows<Holding>(statements.HOLDINGS, { after, limit: whole(limit) }));
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  /** Makes the constraints, once; after a failure the next call tries again. */
  #prepare(): Promise<void> {
    this.#prepared ??= this.#makeConstraints().catch((error: unknown) => {
      this.#prepared = undefined;
      throw error;
    });
    return this.#prepared;
  }

  async #makeConstraints(): Promise<void> {
    for (const statement of statements.CONSTRAINTS) await this.#calls.write((cypher) => cypher.rows(statement));
  }
}

/** The document's node is also the lock under which all else is written. */
async function write(cypher: Cypher, document: StoredDocument): Promise<void> {
  const { documentId: id, version } = document;
  const readers = cleaned(document.readers);
  await cypher.rows(statements.DOCUMENT, { id, version: whole(version), readers });
  const loose = await cut(cypher, id);
  const chunkIds = document.chunks.map(({ chunkId }) => chunkId);
  for (const keys of partsOf(chunkIds, BATCH)) await cypher.rows(statements.CHUNKS, { id, readers, keys });
  const links = linksOf(document);
  for (const kind of linkKinds) {
    const own = links.filter((link) => link.kind === kind);
    const all = [...new Set(own.map(({ key }) => key))].toSorted((a, b) => (a < b ? -1 : 1));
    for (const keys of partsOf(all, BATCH)) await cypher.rows(statements.nodes(kind), { keys });
    for (const part of partsOf(own, BATCH)) await cypher.rows(statements.ties(kind), { id, links: part });
  }
  await cypher.rows(statements.SWEEP, { loose });
}

async function cut(cypher: Cypher, id: string): Promise<string[]> {
  const [row] = await cypher.rows<{ loose: string[] }>(statements.CUT, { id });
  return row?.loose ?? [];
}

const kindOfType = new Map(linkKinds.map((kind) => [statements.shapes[kind].type, kind]));

type JointRow = Omit<Joint, 'kind'> & { type: string };

const stepsIn = (cypher: Cypher): StepReader => ({
  joints: async (chunkIds, readers) => {
    const rows = await cypher.rows<JointRow>(statements.JOINTS, { chunkIds, readers: cleaned(readers) });
    return rows.flatMap(({ type, ...joint }) => {
      const kind = kindOfType.get(type);
      return kind ? [{ ...joint, kind }] : [];
    });
  },
  members: async ({ nodes, readers, documentIds, each, largest }: MemberQuery) => {
    const found: Member[] = [];
    const limits = { readers: cleaned(readers), documentIds, each: whole(each), most: whole(largest + 1) };
    for (const kind of linkKinds) {
      const keys = nodes.filter((node) => node.kind === kind).map(({ key }) => key);
      if (keys.length > 0) found.push(...(await membersOf(cypher, kind, { ...limits, keys })));
    }
    return found;
  },
});

async function membersOf(cypher: Cypher, kind: LinkKind, parameters: Record<string, unknown>): Promise<Member[]> {
  const rows = await cypher.rows<Omit<Member, 'kind'>>(statements.members(kind), parameters);
  return rows.map((row) => ({ ...row, kind }));
}
