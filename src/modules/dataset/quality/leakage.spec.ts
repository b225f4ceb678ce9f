import { MinHasher } from './min-hash.js';
import { checkLeakage, leaksOf, type SplitRow } from './leakage.js';

const words = (from: number, count: number): string =>
  Array.from({ length: count }, (_, at) => `wort${from + at}`).join(' ');

const hasher = new MinHasher();
const rows: SplitRow[] = [
  { id: 'v1', split: 'validation', signature: hasher.sign(words(0, 60).toUpperCase()), documentId: 'other' },
  { id: 'v2', split: 'validation', signature: hasher.sign(`${words(100, 60)} und noch mehr`), documentId: null },
  { id: 'x1', split: 'test', signature: hasher.sign(words(700, 60)), documentId: 'law' },
  { id: 'x2', split: 'test', signature: hasher.sign(words(800, 60)), documentId: 'unknown' },
  { id: 'x3', split: 'test', signature: hasher.sign(words(900, 60)), documentId: null },
  { id: 't1', split: 'train', signature: hasher.sign(words(0, 60)), documentId: 'law' },
  { id: 't2', split: 'train', signature: hasher.sign(words(100, 60)), documentId: 'law' },
  { id: 't3', split: 'train', signature: hasher.sign(words(0, 60)), documentId: null },
];

describe('leaks from split to split', () => {
  it('are the same text, nearly the same text, and another row of the document', async () => {
    expect(await leaksOf(() => rows)).toEqual([
      { id: 'v1', split: 'validation', how: 'same_text', of: 't3', jaccard: 1 },
      { id: 'v2', split: 'validation', how: 'near_duplicate', of: 't2', jaccard: expect.closeTo(56 / 59, 5) },
      { id: 'x1', split: 'test', how: 'same_document', of: 't1', jaccard: 1 },
    ]);
  });

  it('are nearly the same from the threshold on', async () => {
    expect((await leaksOf(() => rows, 0.97)).map(({ id }) => id)).toEqual(['v1', 'x1']);
  });

  it('reject a row, but for those of the same document', async () => {
    const leaks = await leaksOf(() => rows);
    expect(leaks.map((leak) => checkLeakage(leak).verdict)).toEqual(['reject', 'reject', 'warn']);
    expect(checkLeakage(null)).toMatchObject({ verdict: 'ok', score: 1 });
  });
});
