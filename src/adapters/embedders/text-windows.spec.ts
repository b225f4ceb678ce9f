import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../../test/fixtures/trainer.js';
import { estimateTokens, halvesOf, windowsOf } from './text-windows.js';

const TEXTS = [
  'Die Behörde kann einen rechtswidrigen Verwaltungsakt, auch nachdem er unanfechtbar geworden ist, zurücknehmen.',
  '§ 48 Abs. 1 Satz 2 VwVfG i. V. m. Art. 20 Abs. 3 GG',
  'Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz'.repeat(5),
  `  leading and trailing \n\n ${'x'.repeat(500)} 😀😀 12345678901234567890 \t`,
  '行政行為の取消し、行政手続法',
  '',
];

describe('windows by estimate', () => {
  it.each(TEXTS)('of %j leave nothing out and none is too large', (text) => {
    for (const room of [24, 50, 512]) {
      const windows = windowsOf(text, room);
      expect(windows.map((window) => window.text).join('')).toBe(text);
      for (const window of windows) {
        expect(window.tokens).toBeLessThanOrEqual(room);
        expect(window.tokens).toBeGreaterThan(0);
      }
    }
  });

  it('is one where the text fits', () => {
    const text = TEXTS[0] ?? '';
    expect(windowsOf(text, 512)).toEqual([{ text, tokens: estimateTokens(text) }]);
  });

  it('estimates more tokens than even an English model makes of German, but not many more', async () => {
    const text = await readFile(join(root, 'data-samples', 'verwaltung.txt'), 'utf8');
    // As the tokenizer of all-MiniLM-L6-v2 counts them.
    expect(estimateTokens(text)).toBeGreaterThan(10_910);
    expect(estimateTokens(text)).toBeLessThan(1.2 * 10_910);
  });

  it('takes a character of Chinese or Japanese for a token', () => {
    expect(estimateTokens('行政行為')).toBeGreaterThanOrEqual(4);
  });

  it('are halved at a blank, and never within a character', () => {
    expect(halvesOf({ text: 'one two three four', tokens: 8 })?.map(({ text }) => text)).toEqual([
      'one two three',
      ' four',
    ]);
    expect(halvesOf({ text: 'a😀', tokens: 2 })?.map(({ text }) => text)).toEqual(['a', '😀']);
    expect(halvesOf({ text: '😀', tokens: 2 })).toBeUndefined();
    expect(halvesOf({ text: 'a', tokens: 1 })).toBeUndefined();
  });
});
