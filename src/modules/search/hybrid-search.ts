import { Injectable } from '@nestjs/common';
import { GraphStore, type Neighbour } from '../documents/graph-store.port.js';
import { VectorSearchSpace } from '../documents/vector-search-space.port.js';
import type { Caller } from '../security/principal.port.js';
import { DocumentSearch, type SearchOutcome, type SearchRequest } from './document-search.port.js';
import { fuse, type Fused, type Weights } from './fusion.js';
import { weightsFor } from './fusion-weights.js';
import { HitReader, type RankedChunk } from './hit-reader.js';
import type { Found } from './keyword-leg.js';
import { ProvisionLookup } from './provision-lookup.js';
import { questionOf, type Question } from './question.js';
import { SearchLegs, type States } from './search-legs.js';
import { type Scope, SearchScopes } from './search-scope.js';

/** Hits whose neighbours in the graph are looked at. */
const SEEDS = 10;
const NEIGHBOURS = 50;
/** A neighbour is never better than what led to it. */
const GRAPH_SHARE = 0.5;

/** Asks all legs at once, mixes what they found, and says of each hit why it is there. */
@Injectable()
export class HybridSearch extends DocumentSearch {
  constructor(
    private readonly scopes: SearchScopes,
    private readonly legs: SearchLegs,
    private readonly provisions: ProvisionLookup,
    private readonly graph: GraphStore,
    private readonly spaces: VectorSearchSpace,
    private readonly hits: HitReader,
  ) {
    super();
  }

  async search(request: SearchRequest, caller: Caller): Promise<SearchOutcome> {
    const started = performance.now();
    const question = questionOf(request.queryText);
    const scope = await this.scopes.of(request.filters, caller);
    const states: States = {};
    const [legs, exact] = await Promise.all([
      this.legs.find(request, question, scope, states),
      this.provisions.find(isByMeaningAlone(request) ? [] : question.provisions, scope),
    ]);
    const fused = fuse(legs, await this.#weights(request), request.fusion);
    const neighbours = request.signals.includes('graph')
      ? await this.legs.attempt('graph', states, [], () => this.#neighbours(question, scope, [...exact, ...fused]))
      : [];
    const ranked = rank({ exact, fused, neighbours, matched: matchedWords(legs.keyword) });
    const kept = ranked.slice(0, request.topK);
    const hits = await this.hits.read(kept, scope);
    return { hits, signals: states, tookMs: Math.round(performance.now() - started) };
  }

  /** Given weights stand for themselves; a leg that is not among them gets none. */
  async #weights({ weights }: SearchRequest): Promise<Weights> {
    if (!weights) return weightsFor(await this.spaces.modelName().catch(() => null));
    return { keyword: weights.keyword ?? 0, vector: weights.vector ?? 0, relational: weights.relational ?? 0 };
  }

  /** Of what was found, and of the provisions that are named; where there is neither, of what the words lead to. */
  async #neighbours(question: Question, scope: Scope, found: Pick<Found, 'chunkId'>[]): Promise<Neighbour[]> {
    const { readers, documentIds } = scope;
    const { provisions } = question;
    const isLed = found.length > 0 || provisions.length > 0;
    const from = isLed ? found : await this.legs.seeds(question, scope, SEEDS);
    const chunkIds = [...new Set(from.map(({ chunkId }) => chunkId))].slice(0, SEEDS);
    if (chunkIds.length === 0 && provisions.length === 0) return [];
    return this.graph.neighbours({ chunkIds, provisions, depth: 1, limit: NEIGHBOURS, readers, documentIds });
  }
}

/** Who asks for nothing but meaning gets no provision by its number. */
const isByMeaningAlone = ({ signals }: SearchRequest): boolean => signals.every((signal) => signal === 'vector');

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
