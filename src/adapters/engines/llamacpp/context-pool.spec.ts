import { Deferred } from '../../../kernel/deferred.js';
import { ContextPool } from './context-pool.js';
import type { LlamaSequence } from './llama-library.js';

interface Made {
  adapter: string | null;
  isGone: boolean;
}

const never = AbortSignal.timeout(60_000);

function pooled(rows: number) {
  const made: Made[] = [];
  const createContext = (options: { lora?: { adapters: { filePath: string }[] } }) => {
    const context = { adapter: options.lora?.adapters[0]?.filePath ?? null, isGone: false };
    if (context.adapter === 'broken') return Promise.reject(new Error('it does not fit'));
    made.push(context);
    const sequence = { clearHistory: () => Promise.resolve() } as LlamaSequence;
    return Promise.resolve({
      getSequence: () => sequence,
      dispose: () => {
        context.isGone = true;
        return Promise.resolve();
      },
    });
  };
  const pool = new ContextPool({ createContext }, { rows, contextSize: 16, threads: 1 });
  return { pool, alive: () => made.filter(({ isGone }) => !isGone).map(({ adapter }) => adapter), made };
}

describe('contexts', () => {
  it('are used again for the same adapter, and given up for another', async () => {
    const { pool, alive, made } = pooled(2);
    for (const adapter of [null, 'a', null, 'a', 'b']) await pool.with(adapter, never, () => Promise.resolve());
    expect([alive(), made.length]).toEqual([['a', 'b'], 3]);
  });

  it('are so many at a time; who waits is served in order, and who leaves is not', async () => {
    const { pool } = pooled(1);
    const order: string[] = [];
    const held = new Deferred<void>();
    const first = pool.with('a', never, () => held.promise);
    const leaving = new AbortController();
    const left = pool.with('b', leaving.signal, () => Promise.resolve(order.push('b')));
    const others = ['c', 'd'].map((adapter) => pool.with(adapter, never, () => Promise.resolve(order.push(adapter))));
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    held.resolve();
    await Promise.all([first, ...others]);
    expect(order).toEqual(['c', 'd']);
  });

  it('that cannot be made leave their place free', async () => {
    const { pool } = pooled(1);
    await expect(pool.with('broken', never, () => Promise.resolve())).rejects.toThrow('it does not fit');
    await expect(pool.with(null, never, () => Promise.resolve('answer'))).resolves.toBe('answer');
    await expect(pool.with(null, never, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    await expect(pool.with(null, never, () => Promise.resolve('answer'))).resolves.toBe('answer');
  });
});
