import { medianSize } from './median-size.js';

interface SizedPage {
  lines: { text: string; size: number }[];
  ocr?: number;
}

/** Measured fonts of one size differ by this share from page to page, and from those of a text layer. */
const SAME_BODY = 0.5;

/**
 * Brings the measured sizes of recognised pages to that of the document's text, so that a line is a heading where it is
 * larger than the text of its own page.
 */
export function alignSizes(pages: readonly SizedPage[]): void {
  const recognised = pages.filter(({ ocr }) => ocr !== undefined);
  const set = pages.filter(({ ocr }) => ocr === undefined);
  const body = bodySize(set.flatMap(({ lines }) => lines)) ?? bodySize(recognised.flatMap(({ lines }) => lines));
  if (body === null) return;
  for (const { lines } of recognised) {
    const own = bodySize(lines);
    if (own === null || Math.abs(own - body) > body * SAME_BODY) continue;
    for (const line of lines) line.size *= body / own;
  }
}

const bodySize = (lines: SizedPage['lines']): number | null =>
  medianSize(lines.map(({ text, size }) => ({ size, letters: text.length })));
