import type { PdfLine } from '../parsers/pdf-lines.js';
import { medianSize } from './median-size.js';
import type { RecognisedLine, RecognisedWord } from './recognition.js';

const POINTS = 72;
/** Rows of one font differ by this share in their measured height. */
const SAME_FONT = 0.13;
/** A line below this share of the least confidence is specks and strokes. */
const SPECKS = 0.5;

/** Mean confidence, by letters; 0 where there are none. */
export function confidenceOf(lines: readonly RecognisedLine[]): number {
  let [sum, letters] = [0, 0];
  for (const { words } of lines)
    for (const { text, confidence } of words) {
      sum += confidence * text.length;
      letters += text.length;
    }
  return letters === 0 ? 0 : sum / letters;
}

/** Without the lines that are no text: what a stain or the edge of the paper looks like. */
export const legible = (lines: readonly RecognisedLine[], leastConfidence: number): RecognisedLine[] =>
  lines.filter((line) => confidenceOf([line]) >= leastConfidence * SPECKS);

/** Lines as the text layer would have them: points, from the bottom left of a page of that height. */
export function asPdfLines(
  lines: readonly RecognisedLine[],
  { dpi, height }: { dpi: number; height: number },
): PdfLine[] {
  const scale = POINTS / dpi;
  const body = bodyHeight(lines);
  return lines.map((line) => ({
    text: textOf(line.words),
    x: line.box.x0 * scale,
    right: line.box.x1 * scale,
    y: height - line.baseline * scale,
    size: (Math.abs(line.height - body) <= body * SAME_FONT ? body : line.height) * scale,
    cells: 1,
  }));
}

const bodyHeight = (lines: readonly RecognisedLine[]): number =>
  medianSize(lines.map(({ height, words }) => ({ size: height, letters: textOf(words).length }))) ?? 0;

/** What the engine takes a paragraph sign for, where it is unsure. */
const LIKE_A_PARAGRAPH_SIGN = /^(?:[$&8]|\$&|8\$)$/;
const UNSURE = 75;

/** No word has a brace inside; in `VwVfG` the engine sees one. */
const BRACE_IN_A_WORD = /(?<=\p{L})\{(?=\p{L})/gu;

/** The words with a space between them; before a number, an unsure `$`, `&` or `8` is read as `§`. */
function textOf(words: readonly RecognisedWord[]): string {
  return words
    .map(({ text, confidence }, at) => {
      const isSign = LIKE_A_PARAGRAPH_SIGN.test(text) && (text !== '8' || confidence < UNSURE);
      return isSign && /^\d{1,4}[a-z]?[.,;:)]?$/.test(words[at + 1]?.text ?? '')
        ? '§'
        : text.replace(BRACE_IN_A_WORD, 'f');
    })
    .join(' ');
}
