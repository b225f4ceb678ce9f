import { StopScan } from './stop-scan.js';

/** @returns the text that was let through, and whether it stopped */
function scanned(text: string, stops: string[], size: number): [string, boolean] {
  const scan = new StopScan(stops);
  let out = '';
  for (let at = 0; at < text.length && !scan.isStopped; at += size) out += scan.push(text.slice(at, at + size));
  return [scan.isStopped ? out : out + scan.rest(), scan.isStopped];
}

describe('stop strings', () => {
  it.each([
    ['ein Text ohne', ['###'], 'ein Text ohne', false],
    ['eins ### zwei', ['###'], 'eins ', true],
    ['eins #### zwei', ['###'], 'eins ', true],
    ['eins ## zwei', ['###'], 'eins ## zwei', false],
    ['endet mit ##', ['###'], 'endet mit ##', false],
    ['aab', ['ab'], 'a', true],
    ['der erste zählt', ['zählt', 'erste'], 'der ', true],
    ['abcd', ['bcde', 'c'], 'ab', true],
    ['nichts', [], 'nichts', false],
  ])('of %j at %j let %j through, in pieces of any length', (text, stops, expected, isStopped) => {
    for (let size = 1; size <= text.length; size += 1)
      expect([size, ...scanned(text, stops, size)]).toEqual([size, expected, isStopped]);
  });

  it('hold back no more than may begin one', () => {
    expect(new StopScan(['### User:']).push('Text ##')).toBe('Text ');
    expect(new StopScan(['### User:']).push('Text ## ')).toBe('Text ## ');
  });
});
