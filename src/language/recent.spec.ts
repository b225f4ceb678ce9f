import { Recent } from './recent.js';

describe('recent values', () => {
  it('are found again', () => {
    const recent = new Recent<number>(2);
    recent.set('a', 1);
    expect(recent.get('a')).toBe(1);
    expect(recent.get('b')).toBeUndefined();
  });

  it('are at most twice the size, those used last', () => {
    const recent = new Recent<number>(2);
    for (const [at, key] of ['a', 'b', 'c', 'd', 'e'].entries()) {
      recent.set(key, at);
      recent.get('a');
    }
    expect(recent.get('a')).toBe(0);
    expect(recent.get('b')).toBeUndefined();
    expect(recent.get('e')).toBe(4);
  });
});
