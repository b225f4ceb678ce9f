import { orphansOf } from './postmaster.js';
import { pauseBefore } from './watch.js';

const entry = (pid: number, parent: number, command: string) => ({ pid, parent, startedAt: '1', command });

describe('backends without a postmaster', () => {
  const backend = entry(11, 1, 'postgres: clara-a: clara clara [local] SELECT');

  it('are those of this cluster whose parent is no postmaster', () => {
    const others = [entry(1, 0, '/sbin/init'), entry(20, 1, 'postgres: clara-b: walwriter')];
    expect(orphansOf([backend, ...others], 'clara-a', '/data/cluster')).toEqual([backend]);
  });

  it('are not those of a living one', () => {
    const living = [entry(10, 1, '/x/bin/postgres -D /data/cluster'), { ...backend, parent: 10 }];
    expect(orphansOf(living, 'clara-a', '/data/cluster')).toEqual([]);
  });
});

describe('pause before a restart', () => {
  it('is none at first, grows, and has a bound', () => {
    expect([0, 1, 2, 3, 4].map(pauseBefore)).toEqual([0, 250, 500, 1000, 2000]);
    expect(pauseBefore(50)).toBe(15_000);
  });
});
