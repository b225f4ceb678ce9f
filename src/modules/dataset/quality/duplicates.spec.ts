import { checkExactDuplicate, checkNearDuplicate } from './duplicates.js';
import { contentHash } from './normalised.js';

describe('duplicates', () => {
  it('are rejected when exact', () => {
    expect(checkExactDuplicate('row 7')).toMatchObject({ verdict: 'reject', score: 0, detail: { of: 'row 7' } });
    expect(checkExactDuplicate(null)).toMatchObject({ verdict: 'ok', score: 1 });
  });

  it.each([
    [0.82, 'warn', 0.18],
    [0.97, 'reject', 0.03],
  ])('with %d of the shingles: %s', (jaccard, verdict, score) => {
    expect(checkNearDuplicate({ id: '7', jaccard })).toMatchObject({ verdict, score, detail: { of: '7', jaccard } });
  });

  it('are not there', () => {
    expect(checkNearDuplicate(null)).toMatchObject({ verdict: 'ok', score: 1 });
  });
});

describe('the hash of a text', () => {
  it('looks at letters and digits only', () => {
    const hash = contentHash('§ 35 Satz 1: „Behörde“');
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(contentHash('35  SATZ 1 behörde'.normalize('NFD'))).toBe(hash);
    expect(contentHash('35 Satz 2 Behörde')).not.toBe(hash);
    expect(contentHash('35 Satz 1 Behorde')).not.toBe(hash);
  });
});
