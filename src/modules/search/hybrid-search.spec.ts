import { callerOf } from '../../../test/fixtures/callers.js';
import type { GraphStep, NeighbourQuery } from '../documents/graph-store.port.js';
import type { Fused } from './fusion.js';
import { HybridSearch, rank } from './hybrid-search.js';
import { SearchLegs } from './search-legs.js';

const fused = (scores: Record<string, number>): Fused[] =>
  Object.entries(scores).map(([chunkId, score], index) => ({
    chunkId,
    documentId: `of ${chunkId}`,
    score,
    source: 'keyword',
    ranks: { keyword: { rank: index + 1, score } },
  }));
const exact = (...chunkIds: string[]) =>
  chunkIds.map((chunkId) => ({ chunkId, documentId: `of ${chunkId}`, score: 1 }));
const path: GraphStep[] = [{ edge: 'refers_to', through: 'vwvfg:35' }];
const neighbours = (scores: Record<string, number>) =>
  Object.entries(scores).map(([chunkId, score]) => ({ chunkId, documentId: `of ${chunkId}`, score, path }));
const nothing = { exact: [], fused: [], neighbours: [], matched: new Map<string, string[]>() };
const order = (hits: { chunkId: string }[]) => hits.map(({ chunkId }) => chunkId);

describe('order of the answer', () => {
  it('puts provisions that the question names first, in their order, whatever the legs say', () => {
    const ranked = rank({ ...nothing, exact: exact('p', 'q'), fused: fused({ a: 1, q: 0.2 }) });
    expect(order(ranked)).toEqual(['p', 'q', 'a']);
    expect(ranked[0]).toMatchObject({ score: 1, isExact: true, source: 'relational', signals: {} });
    expect(ranked[1]).toMatchObject({ score: 1, isExact: true, source: 'keyword', signals: { keyword: { rank: 2 } } });
    expect(ranked[2]).toMatchObject({ score: 0.99, isExact: false });
  });

  it('leaves the scores of the legs as they are where no provision is named', () => {
    expect(rank({ ...nothing, fused: fused({ a: 1, b: 0.4 }) }).map(({ score }) => score)).toEqual([1, 0.4]);
  });

  it('adds neighbours below the first ten, and says how they were reached', () => {
    const found = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`c${index}`, 1 - index * 0.05]));
    const ranked = rank({ ...nothing, fused: fused(found), neighbours: neighbours({ n: 1 }) });
    const at = ranked.findIndex(({ chunkId }) => chunkId === 'n');
    expect(at).toBeGreaterThanOrEqual(10);
    expect(ranked[at]).toMatchObject({ source: 'graph', graphPath: path, signals: { graph: { rank: 1, score: 1 } } });
    expect(ranked[at]?.score).toBeCloseTo(0.5 * 0.55, 10);
  });

  it('keeps the place of a hit that is a neighbour too', () => {
    const ranked = rank({ ...nothing, fused: fused({ a: 1, b: 0.5 }), neighbours: neighbours({ b: 1 }) });
    expect(order(ranked)).toEqual(['a', 'b']);
    expect(ranked[1]).toMatchObject({ score: 0.5, source: 'keyword', graphPath: path });
    expect(Object.keys(ranked[1]?.signals ?? {})).toEqual(['keyword', 'graph']);
  });

  it('says which words were found', () => {
    const matched = new Map([['a', ['Widerspruch']]]);
    expect(rank({ ...nothing, fused: fused({ a: 1, b: 0.5 }), matched }).map((hit) => hit.matched)).toEqual([
      ['Widerspruch'],
      [],
    ]);
  });

  it('of nothing is nothing', () => {
    expect(rank(nothing)).toEqual([]);
  });
});

describe('what the graph is asked', () => {
  const asked = async (queryText: string): Promise<NeighbourQuery | undefined> => {
    let query: NeighbourQuery | undefined;
    const everything = { readers: null, documentIds: null, chunks: null };
    const keyword = { find: () => Promise.resolve([{ chunkId: 'by-word', documentId: 'd', score: 1 }]) };
    const graph = {
      neighbours: (given: NeighbourQuery) => {
        query = given;
        return Promise.resolve([]);
      },
    };
    const parts = [
      { of: () => Promise.resolve(everything) },
      new SearchLegs(keyword as never, {} as never, {} as never, {} as never),
      { find: () => Promise.resolve([]) },
      graph,
      { modelName: () => Promise.resolve(null) },
      { read: () => Promise.resolve([]) },
    ] as unknown as ConstructorParameters<typeof HybridSearch>;
    const request = { queryText, topK: 5, filters: {}, signals: ['graph'], fusion: 'weighted' } as const;
    await new HybridSearch(...parts).search({ ...request, signals: ['graph'] }, callerOf('erika', 'analyst'));
    return query;
  };

  it('begins at the words where nothing else is given', async () => {
    expect(await asked('Anhörung vor dem Bescheid')).toMatchObject({ chunkIds: ['by-word'], provisions: [] });
  });

  it('begins at the provisions where the question names some', async () => {
    expect(await asked('§ 35 VwVfG')).toMatchObject({ chunkIds: [], provisions: ['vwvfg:35'] });
  });
});
