import { checkLength } from './length.js';

const words = (count: number): string => Array.from({ length: count }, (_, at) => `wort${at}`).join(' ');

describe('the length of a row', () => {
  it.each([
    ['', 'reject', 0, 'no words'],
    [' \n\t ?! ', 'reject', 0, 'no words'],
    ['Siehe oben', 'reject', 0, '2 of at least 3 words'],
    [words(6), 'warn', 0.4, '6 words, 15 are usual'],
    [words(15), 'ok', 1, '15 words'],
    [words(4000), 'warn', 0.459, 'may cut it after 16000'],
    ['x '.repeat(150_000), 'reject', 0, 'at most 200000'],
  ])('gets the verdict of example %#', (text, verdict, score, reason) => {
    expect(checkLength(text)).toMatchObject({ verdict, score, reason: expect.stringContaining(reason) });
  });

  it('counts signs outside the first plane once, and keeps to the limits it is given', () => {
    const limits = { leastWords: 1, fewWords: 1, manyCharacters: 5, mostCharacters: 10 };
    expect(checkLength('ab😀😀😀', limits)).toMatchObject({ verdict: 'ok', detail: { words: 1, characters: 5 } });
    expect(checkLength('ab😀😀😀😀', limits).verdict).toBe('warn');
  });
});
