import { Injectable } from '@nestjs/common';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { isDatabaseAway } from '../../kernel/transaction.js';
import { EmbedderUnavailable } from '../documents/embedder.port.js';
import { GraphStore, type Neighbour } from '../documents/graph-store.port.js';
import { StoreUnavailable } from '../documents/replica.port.js';
import { VectorSearchSpace } from '../documents/vector-search-space.port.js';
import type { Caller } from '../security/principal.port.js';
import { DocumentSearch, type SearchOutcome, type SearchRequest, type Signal } from './document-search.port.js';
import { fuse, type Fused, type Legs, type Weights } from './fusion.js';
import { weightsFor } from './fusion-weights.js';
import { HitReader, type RankedChunk } from './hit-reader.js';
import { type Found, KeywordLeg } from './keyword-leg.js';
import { ProvisionLookup } from './provision-lookup.js';
import { questionOf, type Question } from './question.js';
import { RelationalLeg } from './relational-leg.js';
import { type Scope, SearchScopes } from './search-scope.js';
import { VectorLeg } from './vector-leg.js';

/** Chunks that each leg brings, at least. */
const DEPTH = 100;
const DEEPEST = 1000;
/** Hits whose neighbours in the graph are looked at. */
const SEEDS = 10;
const NEIGHBOURS = 50;
const LEG_MS = 8000;
/** A neighbour is never better than what led to it. */
const GRAPH_SHARE = 0.5;

type States = SearchOutcome['signals'];

/** Asks all legs at once, mixes what they found, and says of each hit why it is there. */
@Injectable()
export class HybridSearch extends DocumentSearch {
  constructor(
    private readonly scopes: SearchScopes,
    private readonly keyword: KeywordLeg,
    private readonly vector: VectorLeg,
    private readonly relational: RelationalLeg,
    private readonly provisions: ProvisionLookup,
    private readonly graph: GraphStore,
    private readonly spaces: VectorSearchSpace,
    private readonly hits: HitReader,
    private readonly log: Log,
  ) {
    super();
  }

  async search(request: SearchRequest, caller: Caller): Promise<SearchOutcome> {
    const started = performance.now();
    const question = questionOf(request.queryText);
    const scope = await this.scopes.of(request.filters, caller);
    const states: States = {};
    const [legs, exact] = await Promise.all([
      this.#legs(request, question, scope, states),
      this.provisions.find(question.provisions, scope),
    ]);
    const fused = fuse(legs, await this.#weights(request), request.fusion);
    const neighbours = request.signals.includes('graph')
      ? await this.#attempt('graph', states, [], () => this.#neighbours(question, scope, [...exact, ...fused]))
      : [];
    const ranked = rank({ exact, fused, neighbours, matched: matchedWords(legs.keyword) });
    const kept = ranked.filter(({ score }) => score >= request.minScore).slice(0, request.topK);
    const hits = await this.hits.read(kept, scope);
    return { hits, signals: states, tookMs: Math.round(performance.now() - started) };
  }

  async #legs(request: SearchRequest, question: Question, scope: Scope, states: States): Promise<Legs> {
    const depth = Math.min(DEEPEST, Math.max(DEPTH, request.topK));
    const legs: Legs = {};
    const ask = async (leg: 'keyword' | 'vector' | 'relational', find: () => Promise<Found[]>): Promise<void> => {
      if (request.signals.includes(leg)) legs[leg] = await this.#attempt(leg, states, [], find);
    };
    const signal = AbortSignal.timeout(LEG_MS);
    await Promise.all([
      ask('keyword', () => this.keyword.find(question, scope, depth)),
      ask('vector', () => this.vector.find(question, scope, depth, signal)),
      ask('relational', () => this.relational.find(question, scope, depth)),
    ]);
    return legs;
  }

  /** Given weights stand for themselves; a leg that is not among them gets none. */
  async #weights({ weights }: SearchRequest): Promise<Weights> {
    if (!weights) return weightsFor(await this.spaces.modelName().catch(() => null));
    return { keyword: weights.keyword ?? 0, vector: weights.vector ?? 0, relational: weights.relational ?? 0 };
  }

  #neighbours(
    { provisions }: Question,
    { readers, documentIds }: Scope,
    found: Pick<Found, 'chunkId'>[],
  ): Promise<Neighbour[]> {
    const chunkIds = [...new Set(found.map(({ chunkId }) => chunkId))].slice(0, SEEDS);
    if (chunkIds.length === 0 && provisions.length === 0) return Promise.resolve([]);
    return this.graph.neighbours({ chunkIds, provisions, depth: 1, limit: NEIGHBOURS, readers, documentIds });
  }

  /** A leg that is down is named with its reason; the others answer. */
  async #attempt<T>(signal: Signal, states: States, otherwise: T, find: () => Promise<T>): Promise<T> {
    try {
      const found = await find();
      states[signal] = { state: 'ok' };
      return found;
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      const isKnown = error instanceof EmbedderUnavailable || error instanceof StoreUnavailable;
      if (!isKnown) this.log.error('a leg of the search failed', { signal, error: messageOf(error) });
      states[signal] = { state: 'unavailable', reason: isKnown ? error.message : reasonOf(error) };
      return otherwise;
    }
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error && error.name === 'TimeoutError'
    ? `it did not answer within ${LEG_MS / 1000} s`
    : 'it failed; the log has the details';

const matchedWords = (found: readonly Found[] | undefined): Map<string, string[]> =>
  new Map(found?.map(({ chunkId, matched }) => [chunkId, matched ?? []]));

interface Ranking {
  exact: Found[];
  fused: Fused[];
  neighbours: Neighbour[];
  matched: Map<string, string[]>;
}

/** Provisions that the question names come first, then what the legs found, then what the graph adds below. */
export function rank({ exact, fused, neighbours, matched }: Ranking): RankedChunk[] {
  const ranked = new Map<string, RankedChunk>();
  const byChunk = new Map(fused.map((hit) => [hit.chunkId, hit]));
  for (const { chunkId, documentId } of exact) {
    const hit = byChunk.get(chunkId);
    ranked.set(chunkId, {
      chunkId,
      documentId,
      score: 1,
      source: hit?.source ?? 'relational',
      signals: hit?.ranks ?? {},
      matched: matched.get(chunkId) ?? [],
      graphPath: [],
      isExact: true,
    });
  }
  const below = exact.length > 0 ? 0.99 : 1;
  for (const { chunkId, documentId, score, source, ranks } of fused)
    if (!ranked.has(chunkId))
      ranked.set(chunkId, {
        chunkId,
        documentId,
        score: score * below,
        source,
        signals: ranks,
        matched: matched.get(chunkId) ?? [],
        graphPath: [],
        isExact: false,
      });
  addNeighbours(ranked, neighbours, fused);
  return [...ranked.values()].toSorted(
    (one, other) => Number(other.isExact) - Number(one.isExact) || other.score - one.score,
  );
}

/** What the graph adds stands below the top of what the legs found: half as good as the last of the first ten, at most. */
function addNeighbours(ranked: Map<string, RankedChunk>, neighbours: Neighbour[], fused: Fused[]): void {
  const top = fused[Math.min(SEEDS, fused.length) - 1]?.score ?? 1;
  neighbours.forEach(({ chunkId, documentId, score, path }, index) => {
    const known = ranked.get(chunkId);
    const graph = { rank: index + 1, score };
    if (known) {
      known.signals = { ...known.signals, graph };
      known.graphPath = path;
      return;
    }
    ranked.set(chunkId, {
      chunkId,
      documentId,
      score: score * top * GRAPH_SHARE,
      source: 'graph',
      signals: { graph },
      matched: [],
      graphPath: path,
      isExact: false,
    });
  });
}
