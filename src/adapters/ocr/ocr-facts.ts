import { pageRanges } from './page-ranges.js';

interface ReadPage {
  number: number;
  lines: readonly { text: string }[];
  ocr?: number;
}

/** What the metadata of a document says of its recognised pages: which, and the mean confidence by letters. */
export function ocrFacts(pages: readonly ReadPage[]): Record<string, string> {
  const read = pages.flatMap(({ number, lines, ocr }) =>
    ocr === undefined ? [] : [{ number, ocr, letters: lines.reduce((sum, { text }) => sum + text.length, 0) }],
  );
  if (read.length === 0) return {};
  const letters = read.reduce((sum, page) => sum + page.letters, 0);
  const confidence = read.reduce((sum, page) => sum + page.ocr * page.letters, 0) / letters;
  return { ocr_pages: pageRanges(read.map(({ number }) => number)), ocr_confidence: String(Math.round(confidence)) };
}
