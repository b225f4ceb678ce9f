import type { SplitConfig } from './dataset-record.js';
import { Groups, splitGroups } from './split-groups.js';

const config: SplitConfig = { train: 0.8, validation: 0.1, test: 0.1, seed: 7, by: 'document' };
const groups = (count: number, rows = (index: number) => 1 + (index % 5)) =>
  Array.from({ length: count }, (_, index) => ({ name: `document ${index}`, rows: rows(index) }));

const rowsBySplit = (all: ReturnType<typeof groups>, splits: Map<string, string>) => {
  const sums: Record<string, number> = { train: 0, validation: 0, test: 0 };
  for (const { name, rows } of all) sums[splits.get(name) ?? ''] = (sums[splits.get(name) ?? ''] ?? 0) + rows;
  return sums;
};

describe('the split', () => {
  it('comes near to the shares', () => {
    const all = groups(500);
    const total = all.reduce((sum, { rows }) => sum + rows, 0);
    const sums = rowsBySplit(all, splitGroups(all, config));
    expect((sums['validation'] ?? 0) / total).toBeCloseTo(0.1, 1);
    expect((sums['test'] ?? 0) / total).toBeCloseTo(0.1, 1);
  });

  it('is the same for the same seed, in whatever order the groups come, and another for another', () => {
    const all = groups(100);
    const entries = (splits: Map<string, string>) => [...splits].map(([name, split]) => `${name} ${split}`).toSorted();
    expect(entries(splitGroups(all.toReversed(), config))).toEqual(entries(splitGroups(all, config)));
    expect(entries(splitGroups(all, { ...config, seed: 8 }))).not.toEqual(entries(splitGroups(all, config)));
  });

  it('leaves most groups where they were when some are added', () => {
    const before = splitGroups(groups(200), config);
    const after = splitGroups(groups(210), config);
    const moved = [...before].filter(([name, split]) => after.get(name) !== split);
    expect(moved.length).toBeLessThan(20);
  });

  it.each([
    [1, { train: 1, validation: 0, test: 0 }],
    [2, { train: 1, validation: 1, test: 0 }],
    [3, { train: 1, validation: 1, test: 1 }],
  ])('of %i groups fills train first', (count, expected) =>
    expect(
      rowsBySplit(
        groups(count, () => 1),
        splitGroups(
          groups(count, () => 1),
          config,
        ),
      ),
    ).toEqual(expected),
  );

  it('never puts a group that outweighs a part into it while smaller ones are there', () => {
    const all = groups(11, (index) => (index === 0 ? 1000 : 10));
    expect(splitGroups(all, config).get('document 0')).toBe('train');
    for (let seed = 0; seed < 50; seed += 1)
      expect(splitGroups(all, { ...config, seed }).get('document 0')).toBe('train');
  });

  it('makes no part that is not wanted', () =>
    expect(new Set(splitGroups(groups(50), { ...config, train: 1, validation: 0, test: 0 }).values())).toEqual(
      new Set(['train']),
    ));
});

describe('groups', () => {
  it('that were joined have one root', () => {
    const sets = new Groups();
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => sets.id(name)) as [number, number, number, number];
    sets.join(a, b);
    sets.join(c, d);
    expect(sets.root(a)).toBe(sets.root(b));
    expect(sets.root(a)).not.toBe(sets.root(c));
    sets.join(b, c);
    expect(new Set([a, b, c, d].map((id) => sets.root(id))).size).toBe(1);
    expect(sets.id('a')).toBe(a);
  });
});
