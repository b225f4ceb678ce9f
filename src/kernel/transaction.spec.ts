import type { DataSource, EntityManager } from 'typeorm';
import { inTransaction, isDatabaseAway, rowsOf, sqlState } from './transaction.js';

const failure = (code: string): Error => Object.assign(new Error(code), { code });

/** A data source whose transactions fail with these codes, one after the other, and then succeed. */
function failing(...codes: string[]): { source: DataSource; attempts: () => number } {
  let attempts = 0;
  const transaction = async (work: (sql: EntityManager) => Promise<unknown>) => {
    attempts += 1;
    const code = codes.shift();
    if (code) throw failure(code);
    return work({} as EntityManager);
  };
  return { source: { transaction } as unknown as DataSource, attempts: () => attempts };
}

describe('a transaction', () => {
  it('is tried again after a deadlock or a serialisation failure', async () => {
    const { source, attempts } = failing('40P01', '40001');
    expect(await inTransaction(source, () => Promise.resolve('done'))).toBe('done');
    expect(attempts()).toBe(3);
  });

  it('is given up after five times', async () => {
    const { source, attempts } = failing(...Array<string>(9).fill('40P01'));
    await expect(inTransaction(source, () => Promise.resolve())).rejects.toThrow('40P01');
    expect(attempts()).toBe(5);
  });

  it('is not tried again after any other failure', async () => {
    const { source, attempts } = failing('23505');
    await expect(inTransaction(source, () => Promise.resolve())).rejects.toThrow('23505');
    expect(attempts()).toBe(1);
  });
});

describe('a database that is away', () => {
  it.each(['57P01', '57P03', '08006', 'ECONNREFUSED', 'ECONNRESET'])('is known by %s', (code) =>
    expect(isDatabaseAway(failure(code))).toBe(true),
  );
  it.each(['Connection terminated unexpectedly', 'timeout exceeded when trying to connect'])(
    'is known by "%s"',
    (words) => expect(isDatabaseAway(new Error(words))).toBe(true),
  );
  it('is not every failure', () => {
    for (const error of [failure('23505'), failure('42601'), new Error('no'), 'text', null, undefined])
      expect(isDatabaseAway(error)).toBe(false);
  });
  it('is a socket that is gone, but no other missing file', () => {
    expect(isDatabaseAway(Object.assign(failure('ENOENT'), { syscall: 'connect' }))).toBe(true);
    expect(isDatabaseAway(Object.assign(failure('ENOENT'), { syscall: 'open' }))).toBe(false);
  });
});

describe('the rows of a statement', () => {
  const answering = (result: unknown) =>
    rowsOf({ query: () => Promise.resolve(result) } as unknown as EntityManager, '');

  it('are found in each of the shapes that TypeORM answers', async () => {
    expect(await answering([{ a: 1 }])).toEqual([{ a: 1 }]);
    expect(await answering([[{ a: 1 }], 1])).toEqual([{ a: 1 }]);
    expect(await answering([[], 0])).toEqual([]);
    expect(await answering(undefined)).toEqual([]);
  });

  it('do not make two rows a row and a count', async () => {
    expect(await answering([{ a: 1 }, { a: 2 }])).toEqual([{ a: 1 }, { a: 2 }]);
  });
});

it('a state of SQL is a text, or unknown', () => {
  expect([sqlState(failure('40001')), sqlState({ code: 5 }), sqlState(null)]).toEqual(['40001', undefined, undefined]);
});
