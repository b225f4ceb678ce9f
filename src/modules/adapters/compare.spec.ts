import { differences, metricChanges } from './compare.js';

describe('the comparison of versions', () => {
  it('names what differs by its path', () => {
    const a = { r: 8, training: { epochs: 1, seed: 42 }, targets: ['q', 'v'], only: 1 };
    const b = { r: 16, training: { epochs: 3, seed: 42 }, targets: ['q'], other: 'x' };
    expect(differences(a, b)).toEqual([
      { key: 'only', a: 1, b: null },
      { key: 'other', a: null, b: 'x' },
      { key: 'r', a: 8, b: 16 },
      { key: 'targets', a: ['q', 'v'], b: ['q'] },
      { key: 'training.epochs', a: 1, b: 3 },
    ]);
    expect(differences(a, a)).toEqual([]);
  });

  it('sets numbers side by side', () => {
    expect(metricChanges({ loss_after: 2, steps: 10 }, { loss_after: 1.5, ppl_dev: 4 })).toEqual([
      { name: 'loss_after', a: 2, b: 1.5, change: -0.5 },
      { name: 'ppl_dev', a: null, b: 4, change: null },
      { name: 'steps', a: 10, b: null, change: null },
    ]);
  });
});
