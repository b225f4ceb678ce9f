import { chooseReplica } from './choose-replica.js';

const replicas = (...running: number[]) => running.map((count, index) => ({ id: `r${index + 1}`, running: count }));
const keys = Array.from({ length: 300 }, (_, index) => `key-${index}`);

describe('the choice of a replica', () => {
  it('is the least loaded one, whatever the key', () => {
    for (const key of keys) expect(chooseReplica(replicas(2, 1, 3), key, 'least')?.id).toBe('r2');
  });

  it('spreads keys over equally loaded ones, and gives each key the same one again', () => {
    const counts = new Map<string, number>();
    for (const key of keys) {
      const chosen = chooseReplica(replicas(0, 0, 0), key, 'least')?.id ?? '';
      expect(chooseReplica(replicas(0, 0, 0), key, 'least')?.id).toBe(chosen);
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
    }
    for (const id of ['r1', 'r2', 'r3']) expect(counts.get(id)).toBeGreaterThan(60);
  });

  it('moves only the keys of a replica that goes', () => {
    const [, ...left] = replicas(0, 0, 0);
    for (const key of keys) {
      const before = chooseReplica(replicas(0, 0, 0), key, 'least')?.id;
      if (before !== 'r1') expect(chooseReplica(left, key, 'least')?.id).toBe(before);
    }
  });

  it('keeps a sticky key while load is near the mean, and moves it when it is not', () => {
    const key = keys.find((one) => chooseReplica(replicas(0, 0), one, 'bounded')?.id === 'r1') ?? '';
    expect(chooseReplica(replicas(10, 9), key, 'bounded')?.id).toBe('r1');
    expect(chooseReplica(replicas(20, 4), key, 'bounded')?.id).toBe('r2');
  });

  it('is none among none', () => {
    expect(chooseReplica([], 'key', 'least')).toBeUndefined();
    expect(chooseReplica(replicas(7), 'key', 'bounded')?.id).toBe('r1');
  });
});
