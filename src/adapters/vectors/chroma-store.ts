import { ChromaNotFoundError, type Collection, type Where } from 'chromadb';
import type { Holding, StoredDocument } from '../../modules/documents/replica.port.js';
import {
  VectorStore,
  type Near,
  type NearestQuery,
  type VectorSpace,
} from '../../modules/documents/vector-store.port.js';
import { mergedHoldings } from '../stores/holdings.js';
import { partsOf, STORE_TIMEOUT_MS } from '../stores/store-call.js';
import { ChromaCalls, collectionOf, type ChromaConnection } from './chroma-calls.js';
import { accessOf, allOf, filterOf, holdingsFrom, partsOfId, recordId, recordMetadata } from './chroma-records.js';
import { checkPut, checkQuery, checkSpace, checkSpaceId } from './vector-checks.js';

/** Vectors a request; each request has the timeout for itself, and a put that broke off is gone on with by `present`. */
const BATCH = 200;
const PAGE = 2000;
/** Document ids a filter; a longer list is asked for in parts. */
const IDS_AT_ONCE = 500;
/** A listing of a space serves the pages that follow it for so long: Chroma cannot begin after an id. */
const LISTING_MS = 60_000;

/** Vectors in a ChromaDB server, one collection a space. */
export class ChromaStore extends VectorStore {
  readonly name = 'chroma';
  readonly #calls: ChromaCalls;
  readonly #listings = new Map<string, { madeAt: number; holdings: Holding[] }>();

  constructor(connection: ChromaConnection, timeoutMs = STORE_TIMEOUT_MS) {
    super();
    this.#calls = new ChromaCalls(this.name, connection, timeoutMs);
  }

  async check(): Promise<void> {
    // Asks for the tenant and the database as well, which a heartbeat does not.
    await this.#calls.ask((client) => client.countCollections());
  }

  async open(space: VectorSpace): Promise<void> {
    checkSpace(space);
    await this.#calls.ask(async (client) => {
      const { metadata } = await client.getOrCreateCollection({
        name: collectionOf(space.id),
        metadata: { dimension: space.dimension },
        configuration: { hnsw: { space: 'cosine' } },
        embeddingFunction: null,
      });
      const held = Number(metadata?.['dimension']);
      if (held !== space.dimension)
        throw new RangeError(
          `the space ${space.id} holds vectors of ${JSON.stringify(held)} numbers, not of ${space.dimension}`,
        );
    });
  }

  async drop(spaceId: string): Promise<void> {
    checkSpaceId(spaceId);
    this.#listings.delete(spaceId);
    await this.#calls.ask((client) =>
      client.deleteCollection({ name: collectionOf(spaceId) }).catch((error: unknown) => {
        if (!(error instanceof ChromaNotFoundError)) throw error;
      }),
    );
  }

  async present(space: VectorSpace, document: StoredDocument): Promise<Set<string>> {
    checkSpace(space);
    return new Set((await this.#ids(space.id, versionOf(document))).map((id) => partsOfId(id).chunkId));
  }

  async put(space: VectorSpace, document: StoredDocument, vectors: ReadonlyMap<string, number[]>): Promise<void> {
    checkPut(space, document, vectors);
    await this.#alignReaders(space.id, document);
    const metadata = recordMetadata(document);
    for (const part of partsOf([...vectors], BATCH))
      await this.#calls.on(space.id, (collection) =>
        collection.upsert({
          ids: part.map(([chunkId]) => recordId(document, chunkId)),
          embeddings: part.map(([, vector]) => vector),
          metadatas: part.map(() => metadata),
        }),
      );
  }

  async prune(space: VectorSpace, { documentId, version }: StoredDocument): Promise<void> {
    checkSpace(space);
    const where = { $and: [{ document: { $eq: documentId } }, { version: { $lt: version } }] };
    await this.#calls.on(space.id, (collection) => collection.delete({ where }));
  }

  async nearest(space: VectorSpace, query: NearestQuery): Promise<Near[]> {
    checkQuery(space, query);
    const { readers, documentIds, limit } = query;
    if (readers?.length === 0 || documentIds?.length === 0) return [];
    const parts = documentIds ? partsOf([...new Set(documentIds)], IDS_AT_ONCE) : [null];
    const found = await this.#calls.on(space.id, async (collection) => {
      const near: Near[] = [];
      for (const part of parts) near.push(...(await nearestIn(collection, query, filterOf(readers, part))));
      return near;
    });
    const seen = new Set<string>();
    return (
      found
        .toSorted((a, b) => b.similarity - a.similarity || (a.chunkId < b.chunkId ? -1 : 1))
        // A chunk that keeps its id is there twice until its document is pruned.
        .filter(({ chunkId }) => !seen.has(chunkId) && seen.add(chunkId))
        .slice(0, limit)
    );
  }

  async holdingsOf(space: VectorSpace, after: string | null, limit: number): Promise<Holding[]> {
    checkSpace(space);
    return this.#page(space.id, after, limit);
  }

  async holdings(after: string | null, limit: number): Promise<Holding[]> {
    const lists: Holding[][] = [];
    for (const spaceId of await this.#calls.spaceIds()) lists.push(await this.#page(spaceId, after, limit));
    return mergedHoldings(lists, limit);
  }

  async remove(documentId: string): Promise<void> {
    for (const spaceId of await this.#calls.spaceIds())
      await this.#calls.on(spaceId, (collection) => collection.delete({ where: { document: documentId } }));
  }

  /** Every request is by itself. */
  async close(): Promise<void> {
    this.#listings.clear();
  }

  async #page(spaceId: string, after: string | null, limit: number): Promise<Holding[]> {
    const known = this.#listings.get(spaceId);
    const fresh = after !== null && known && Date.now() - known.madeAt < LISTING_MS;
    const listing = fresh ? known : { madeAt: Date.now(), holdings: holdingsFrom(await this.#ids(spaceId)) };
    const rest = listing.holdings.filter(({ documentId }) => after === null || documentId > after);
    if (rest.length > limit) this.#listings.set(spaceId, listing);
    else this.#listings.delete(spaceId);
    return rest.slice(0, limit);
  }

  /** Ids of all records that match, a page a request. */
  async #ids(spaceId: string, where?: Where): Promise<string[]> {
    const found: string[] = [];
    for (let size = PAGE; size === PAGE;) {
      const page = { limit: PAGE, offset: found.length, include: [], ...(where ? { where } : {}) };
      const { ids } = await this.#calls.on(spaceId, (collection) => collection.get(page));
      found.push(...ids);
      size = ids.length;
    }
    return found;
  }

  async #alignReaders(spaceId: string, document: StoredDocument): Promise<void> {
    const others = allOf([versionOf(document), { access: { $ne: accessOf(document.readers) } }]);
    const metadata = recordMetadata(document);
    for (const ids of partsOf(await this.#ids(spaceId, others), BATCH))
      await this.#calls.on(spaceId, (collection) => collection.update({ ids, metadatas: ids.map(() => metadata) }));
  }
}

const versionOf = ({ documentId, version }: StoredDocument): Where => ({
  $and: [{ document: { $eq: documentId } }, { version: { $eq: version } }],
});

async function nearestIn(collection: Collection, query: NearestQuery, where: Where | undefined): Promise<Near[]> {
  const { ids, distances } = await collection.query({
    queryEmbeddings: [query.embedding],
    nResults: query.limit,
    include: ['distances'],
    ...(where ? { where } : {}),
  });
  return (ids[0] ?? []).map((id, at) => {
    const { chunkId, documentId } = partsOfId(id);
    return { chunkId, documentId, similarity: 1 - (distances[0]?.[at] ?? 1) };
  });
}
