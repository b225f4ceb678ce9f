import type { Block } from '../../modules/documents/document-parser.port.js';

/** Divisions of German statutes, outermost first. */
const divisions: readonly (readonly [level: number, pattern: RegExp])[] = [
  [1, /^(?:\p{Lu}\p{L}+tes\s+Buch|Buch\s+[\dIVX]+)\b/u],
  [1, /^(?:(?:Erster|Zweiter|Dritter|Vierter|Fünfter|Sechster|Siebter|Achter)\s+Teil|Teil\s+(?:\d{1,2}|[IVX]+))\b/u],
  [2, /^(?:(?:Erstes|Zweites|Drittes|Viertes|Fünftes)\s+Kapitel|Kapitel\s+(?:\d{1,2}|[IVX]+))\b/u],
  [3, /^(?:(?:Erster|Zweiter|Dritter|Vierter|Fünfter)\s+Abschnitt|Abschnitt\s+(?:\d{1,2}|[IVX]+))\b/u],
  [4, /^(?:Unterabschnitt|Titel|Untertitel)\s+(?:\d{1,2}|[IVX]+)\b/u],
  [5, /^§{1,2}\s*\d+\s?[a-z]?(?:\s|$)/u],
  [5, /^(?:Art\.|Artikel)\s*\d+\s?[a-z]?(?:\s|$)/u],
];
/** What stands behind a § in a sentence and never in a heading. */
const IN_A_SENTENCE =
  /^(?:§|Art)\S*\s*\d+\s?[a-z]?\s+(?:Abs|Absatz|Satz|S\.|Nr|Nummer|des|der|dieses|und|bis|gilt|findet|ist|sind|bleib|in Verbindung|i\. ?V\.)/u;
const LONGEST_HEADING = 160;

/** The level of a line that is the heading of a statute's division; null for any other text. */
export function divisionLevel(text: string): number | null {
  if (text.length > LONGEST_HEADING || text.includes('\n') || /[.;:,]$/.test(text) || IN_A_SENTENCE.test(text))
    return null;
  return divisions.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
}

const LIST_MARK = /^(?:[-–—•*·▪◦\uE000-\uF8FF]\s+|\(?\d{1,3}[.)]\s+|\(?[a-z]{1,2}\)\s+)/u;

export const startsListItem = (line: string): boolean => LIST_MARK.test(line);

/** Joins two lines of a paragraph; a word that was cut at the end of the line becomes whole again. */
export function joinTwo(text: string, next: string): string {
  if (/\p{L}[\u00AD\u2010-]$/u.test(text) && /^\p{Ll}/u.test(next) && !/^(?:und|oder|bzw|sowie|bis)\b/u.test(next))
    return text.slice(0, -1) + next;
  return /\p{L}[-‐]$/u.test(text) && /^\p{Lu}/u.test(next) ? text + next : `${text} ${next}`;
}

/** A line that ends before this share of the longest one ended on purpose. */
const FULL = 0.6;

/**
 * The lines of one paragraph as text: wrapped lines are joined, a break that was meant stays.
 * @param lines trimmed, none empty
 */
export function joinLines(lines: readonly string[]): string {
  const longest = Math.max(0, ...lines.map((line) => line.length));
  let text = lines[0] ?? '';
  for (let at = 1; at < lines.length; at++) {
    const [before = '', line = ''] = [lines[at - 1], lines[at]];
    const meant = longest < 40 || before.length < longest * FULL || startsListItem(line);
    text = meant ? `${text}\n${line}` : joinTwo(text, line);
  }
  return text;
}

/** The blocks of one paragraph of plain text. */
export function paragraphBlocks(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let from = 0;
  for (let at = 1; at <= lines.length; at++) {
    if (at < lines.length && !startsListItem(lines[at] ?? '') && divisionLevel(lines[from] ?? '') === null) continue;
    blocks.push(blockOf(lines.slice(from, at)));
    from = at;
  }
  return blocks;
}

function blockOf(lines: readonly string[]): Block {
  const text = joinLines(lines);
  const level = lines.length === 1 ? divisionLevel(text) : null;
  if (level !== null) return { kind: 'heading', level, text };
  return { kind: startsListItem(text) ? 'list_item' : 'paragraph', text };
}
