import { ocrFacts } from './ocr-facts.js';
import type { OcrRun } from './ocr-run.js';
import { pageRanges } from './page-ranges.js';
import { readPicture } from './read-picture.js';
import { pictureOf } from './recognition.js';
import { linesOfPage } from './tesseract-page.js';

const picture = pictureOf({ width: 2, height: 1, dpi: 200, pixels: Uint8Array.of(1, 2) });

const runOf = (read: OcrRun['read']): OcrRun => ({
  options: { languages: ['deu'], maxPages: 1, pageMs: 1, dpi: 300, maxPixels: 1, leastConfidence: 60 },
  read,
  tell: () => Promise.resolve(),
});

const said = (confidence: number) =>
  linesOfPage({
    blocks: [
      {
        paragraphs: [
          {
            lines: [
              {
                bbox: { x0: 1, y0: 2, x1: 3, y1: 4 },
                baseline: { y0: 3, y1: 4 },
                rowAttributes: { rowHeight: 2 },
                words: [
                  { text: 'Wort\n', confidence },
                  { text: ' ', confidence: 90 },
                ],
              },
            ],
          },
        ],
      },
    ],
  });

describe('a picture', () => {
  it('goes to the engine as a graymap', () => {
    expect(Buffer.from(picture.bytes).toString('latin1')).toBe('P5\n2 1\n255\n\u0001\u0002');
  });

  it('gives its lines, without empty words', async () => {
    expect(
      await readPicture(
        picture,
        runOf(() => Promise.resolve(said(80))),
      ),
    ).toEqual({
      text: 'read',
      confidence: 80,
      lines: [
        { words: [{ text: 'Wort', confidence: 80 }], box: { x0: 1, y0: 2, x1: 3, y1: 4 }, baseline: 3.5, height: 2 },
      ],
    });
    expect(linesOfPage({ blocks: null })).toEqual([]);
  });

  it.each([
    ['without text', () => Promise.resolve([]), 'is a picture without text'],
    ['of little confidence', () => Promise.resolve(said(40)), 'confidence of 40, the least is 60'],
    ['of specks', () => Promise.resolve(said(10)), 'confidence of 10, the least is 60'],
    ['that fails', () => Promise.reject(new Error('it broke')), 'could not be recognised: it broke'],
  ])('%s says why it gives none', async (_what, read, why) => {
    expect(await readPicture(picture, runOf(read))).toEqual({ text: 'none', why: expect.stringContaining(why) });
  });
});

describe('the metadata of a document', () => {
  it('name its recognised pages and how sure their letters are', () => {
    const lines = (length: number) => [{ text: 'x'.repeat(length) }];
    const pages = [
      { number: 1, lines: lines(9) },
      { number: 2, lines: lines(10), ocr: 90 },
      { number: 3, lines: lines(30), ocr: 70 },
      { number: 7, lines: lines(10), ocr: 90 },
    ];
    expect(ocrFacts(pages)).toEqual({ ocr_pages: '2-3, 7', ocr_confidence: '78' });
    expect(ocrFacts(pages.slice(0, 1))).toEqual({});
    expect(pageRanges([])).toBe('');
  });
});
