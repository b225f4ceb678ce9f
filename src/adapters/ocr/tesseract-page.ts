import type { Box, RecognisedLine } from './recognition.js';

/** What the engine says of a page, as far as it is used. */
export interface TesseractPage {
  blocks: { paragraphs: { lines: TesseractLine[] }[] }[] | null;
}

interface TesseractLine {
  bbox: Box;
  baseline: { y0: number; y1: number };
  rowAttributes: { rowHeight: number };
  words: { text: string; confidence: number }[];
}

/** All lines of a page, in reading order; those without a word are left out. */
export function linesOfPage({ blocks }: TesseractPage): RecognisedLine[] {
  const lines = (blocks ?? []).flatMap(({ paragraphs }) => paragraphs.flatMap((paragraph) => paragraph.lines));
  return lines.map(lineOf).filter(({ words }) => words.length > 0);
}

const lineOf = ({ bbox, baseline, rowAttributes, words }: TesseractLine): RecognisedLine => ({
  words: words.map(({ text, confidence }) => ({ text: text.trim(), confidence })).filter(({ text }) => text !== ''),
  box: bbox,
  baseline: (baseline.y0 + baseline.y1) / 2,
  height: rowAttributes.rowHeight,
});
