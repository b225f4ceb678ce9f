import { versionOf } from '../../../test/fixtures/registry.js';
import { meantBy, rankWanted } from './rank-wanted.js';

const versions = [1, 2, 3, 4].map((number) => versionOf(number));
const [one, two, three, four] = versions as [
  (typeof versions)[0],
  (typeof versions)[0],
  (typeof versions)[0],
  (typeof versions)[0],
];
const names = (rows: Parameters<typeof rankWanted>[2], aliases: Parameters<typeof meantBy>[0] = []) =>
  rankWanted(versions, new Set(meantBy(aliases)), rows).map(
    ({ id }) => versions.findIndex((version) => version?.id === id) + 1,
  );
const row = (lastUsed: number, change = {}) => ({ wanted: true, pinned: false, lastUsed, ...change });

describe('what replicas should hold', () => {
  it('is pinned ones, then those that aliases mean, with a share too, then the last used', () => {
    const rows = new Map([
      [one?.id ?? '', row(9)],
      [two?.id ?? '', row(1, { pinned: true })],
      [three?.id ?? '', row(5)],
    ]);
    const alias = {
      alias: 'champion',
      versionId: three?.id ?? '',
      splits: [{ versionId: four?.id ?? '', weight: 0.1 }],
    };
    expect(names(rows, [alias])).toEqual([2, 3, 4, 1]);
  });

  it('is none that was unloaded by hand, though an alias means it', () => {
    const alias = { alias: 'champion', versionId: one?.id ?? '', splits: [] };
    expect(names(new Map([[one?.id ?? '', row(9, { wanted: false })]]), [alias])).toEqual([]);
    expect(names(new Map(), [alias])).toEqual([1]);
  });
});
