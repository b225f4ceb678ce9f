import { asPdfLines, confidenceOf, legible } from './ocr-lines.js';
import type { RecognisedLine } from './recognition.js';

const line = (text: string, more: Partial<RecognisedLine> & { confidence?: number } = {}): RecognisedLine => ({
  words: text.split(' ').map((word) => ({ text: word, confidence: more.confidence ?? 95 })),
  box: { x0: 200, y0: 100, x1: 400, y1: 130 },
  baseline: 125,
  height: 30,
  ...more,
});

const texts = (...lines: RecognisedLine[]): string[] =>
  asPdfLines(lines, { dpi: 200, height: 842 }).map(({ text }) => text);

describe('recognised lines', () => {
  it('stand on the page in points, from its bottom', () => {
    const [placed] = asPdfLines([line('Bescheid')], { dpi: 200, height: 842 });
    expect(placed).toEqual({ text: 'Bescheid', x: 72, right: 144, y: 797, size: expect.closeTo(10.8), cells: 1 });
  });

  it('of one font have one size, a heading keeps its own', () => {
    const lines = [
      line('Überschrift', { height: 42 }),
      line('ein langer Text', { height: 29 }),
      line('Text', { height: 31 }),
    ];
    const sizes = asPdfLines(lines, { dpi: 72, height: 842 }).map(({ size }) => size);
    expect(sizes).toEqual([42, 29, 29]);
  });

  it('have a § before a number where the engine was unsure, and elsewhere what it saw', () => {
    expect(texts(line('$ 35 Begriff'), line('$& 35a, 36'), line('8 35 Begriff', { confidence: 30 }))).toEqual([
      '§ 35 Begriff',
      '§ 35a, 36',
      '§ 35 Begriff',
    ]);
    expect(texts(line('8 35 Begriff'), line('8 Tage', { confidence: 30 }), line('Müller & Sohn'))).toEqual([
      '8 35 Begriff',
      '8 Tage',
      'Müller & Sohn',
    ]);
    expect(texts(line('VwV{G {a}'))).toEqual(['VwVfG {a}']);
  });

  it('are as sure as their letters, and specks among them are left out', () => {
    const lines = [line('Verwaltungsakt', { confidence: 90 }), line('.,', { confidence: 10 })];
    expect(confidenceOf(lines)).toBeCloseTo((14 * 90 + 2 * 10) / 16);
    expect(legible(lines, 60)).toEqual([lines[0]]);
    expect(confidenceOf([])).toBe(0);
  });
});
