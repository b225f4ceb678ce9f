import { END, GAP, SPACE, sticky, takeAt } from './text-cursor.js';

/** One provision, or a range of them, after a sign. */
export interface CitedProvision {
  /** More than one for a range. */
  numbers: string[];
  paragraph: string | null;
  sentence: string | null;
  start: number;
  end: number;
}

/** A sign with what it stands before. */
export interface CitedGroup {
  sign: '§' | 'Art.';
  provisions: CitedProvision[];
  end: number;
}

interface CitationForm {
  sign: '§' | 'Art.';
  /** `§§` or `Artikeln`. */
  plural: boolean;
}

const MOST_PROVISIONS = 100;
const MOST_DETAILS = 60;
const LONGEST_RANGE = 50;

const IN_CONNECTION = String.raw`(?:i\.?${GAP}v\.?${GAP}m\b\.?|in${SPACE}Verb(?:indung|\.)${SPACE}mit)`;
const AND = String.raw`(?:und|oder|sowie|u\.|bzw\.?|beziehungsweise)`;

const number = sticky(
  `(\\d{1,4})(?:([a-z]{1,2})${END}|[ \\u00a0]([a-eg-hj-z])(?=[,;)]|${SPACE}(?:Abs|Satz|S\\.|Nr|Nummer|\\p{Lu}|und|oder)))?${END}`,
);
const following = sticky(`${GAP}(ff?)${END}\\.?`);
const range = sticky(`${GAP}(?:bis|[-–—])${GAP}(?:§{1,2}${GAP})?(?=\\d)`);
const separator = sticky(`(?:${GAP}[,/]${GAP}(?:${AND}${SPACE})?|${SPACE}${AND}${SPACE})(?=\\d)`, 'iuy');
const joint = `(?:${GAP}[,/]${GAP}|${SPACE}(?:${AND}|bis|${IN_CONNECTION})${SPACE}|${GAP}[-–]${GAP})`;
const paragraphs = sticky(
  `(?:${joint})?${GAP}Abs(?:ätzen?|atz(?:es)?)?${END}\\.?${GAP}(\\d{1,3}[a-z]{0,2})${END}`,
  'iuy',
);
const sentences = sticky(`(?:${joint})?${GAP}(?:Satz(?:es)?|Sätzen?|S)${END}\\.?${GAP}(\\d{1,3})${END}`, 'iuy');
const numbered = sticky(
  `(?:${joint})?${GAP}(?:Nummern?|Nrn?|Ziffern?|Ziff|Unterabs(?:atz|ätze)|UAbs|Halbsatz|Hs|Alternativen?|Alt|Varianten?|Var|` +
    `Teilsatz|Spiegelstrich)${END}\\.?${GAP}\\d{1,3}[a-z]{0,2}${END}`,
  'iuy',
);
const lettered = sticky(
  `(?:${joint})?${GAP}(?:Doppelbuchstaben?|Buchstaben?|Buchst|lit)${END}\\.?${GAP}[a-z]{1,2}${END}`,
  'iuy',
);
const ordinal = sticky(
  `(?:${joint})?${GAP}(?:(?:erst|zweit|dritt|viert|letzt)e[rsn]?|\\d{1,2}\\.)${GAP}` +
    `(?:Halbsatz(?:es)?|Hs|Alternative|Alt|Unterabsatz|Teilsatz|Spiegelstrich|Variante|Var)${END}\\.?`,
  'iuy',
);
/** `Art. 229 § 5 EGBGB`: sections inside of an article. */
const section = sticky(`${GAP}§${GAP}\\d{1,3}[a-z]?${END}`);
const moreNumbers = sticky(
  `(?:${GAP},${GAP}|${SPACE}(?:${AND}|bis)${SPACE}|[-–])(?:auch${SPACE})?(\\d{1,3})([a-z]{0,2})${END}(?!\\.[^\\S\\n]?(?:Alt|H|Var))`,
  'iuy',
);
const moreLetters = sticky(
  `(?:${GAP},${GAP}|${SPACE}(?:${AND}|bis)${SPACE}|[-–])(?:auch${SPACE})?[a-z]${END}\\.?(?=[ ,;)\\n])`,
);
const inParentheses = sticky(`[ \\u00a0]?\\((\\d{1,2}[a-z]?)\\)(?:[ \\u00a0]?\\([a-z]{1,2}\\))?`);
const inRoman = sticky(`[ \\u00a0]([IVX]{1,5})(?![\\p{L}\\d.])(?:[ \\u00a0](\\d{1,2})(?![\\p{L}\\d.]))?`);

/** The provisions after a sign that ends at the place; null where no number follows. */
export function citedGroupAt(
  text: string,
  place: { start: number; at: number },
  form: CitationForm,
): CitedGroup | null {
  const provisions: CitedProvision[] = [];
  let start = place.start;
  let at = place.at;
  while (provisions.length < MOST_PROVISIONS) {
    const provision = provisionAt(text, at, form);
    if (!provision) break;
    provisions.push({ ...provision, start });
    const next = takeAt(separator, text, provision.end);
    if (!next) break;
    start = at = provision.end + next[0].length;
  }
  const end = provisions.at(-1)?.end;
  return end === undefined ? null : { sign: form.sign, provisions, end };
}

function provisionAt(text: string, at: number, { sign, plural }: CitationForm): Omit<CitedProvision, 'start'> | null {
  const first = numberAt(text, at, plural);
  if (!first) return null;
  const to = takeAt(range, text, first.end);
  const last = to && numberAt(text, first.end + to[0].length, plural);
  if (last && comesAfter(last.number, first.number))
    return {
      numbers: numbersBetween(first.number, last.number),
      ...detailsAt(text, last.end, { first: Infinity, plural }),
    };
  const afterSection = first.end + ((sign === 'Art.' && takeAt(section, text, first.end)?.[0].length) || 0);
  const details = detailsAt(text, afterSection, { first: Number.parseInt(first.number, 10), plural });
  const one = takeAt(following, text, details.end);
  if (!one && !first.next) return { numbers: [first.number], ...details };
  const next = first.next || one?.[1] === 'f' ? [String(Number.parseInt(first.number, 10) + 1)] : [];
  return { ...details, numbers: [first.number, ...next], end: details.end + (one?.[0].length ?? 0) };
}

/** `48`, `35a`, `35 a`; `48ff.` and, after a plural sign, `48f.` are the number with those that follow. */
function numberAt(text: string, at: number, plural: boolean): { number: string; next: boolean; end: number } | null {
  const match = takeAt(number, text, at);
  if (!match) return null;
  const [all, digits = '', letters = match[3] ?? ''] = match;
  const end = at + all.length;
  const follows = letters === 'ff' || (letters === 'f' && plural && text[end] === '.');
  return follows
    ? { number: digits, next: letters === 'f', end: end + (text[end] === '.' ? 1 : 0) }
    : { number: digits + letters, next: false, end };
}

function comesAfter(last: string, first: string): boolean {
  const [a, b] = [Number.parseInt(first, 10), Number.parseInt(last, 10)];
  return b > a || (b === a && last > first);
}

/** Whole numbers between both ends, and letters where both ends have the same number; at most 50, the last one included. */
function numbersBetween(first: string, last: string): string[] {
  const [from, to] = [Number.parseInt(first, 10), Number.parseInt(last, 10)];
  const numbers = [first];
  if (from === to) {
    for (let code = letterCode(first) + 1; code < letterCode(last); code++)
      numbers.push(`${String(from)}${String.fromCharCode(code)}`);
  }
  for (let n = from + 1; n <= to && String(n) !== last && numbers.length < LONGEST_RANGE; n++) numbers.push(String(n));
  return [...numbers.slice(0, LONGEST_RANGE - 1), last];
}

/** 97 of `34a`, 96 of `34`. */
function letterCode(of: string): number {
  return /[a-z]$/.test(of) ? of.charCodeAt(of.length - 1) : 96;
}

/**
 * Absatz, Satz, Nummer and so on from the place on. `first` is the number of the provision: in a plural citation a higher
 * number is the next provision (`§§ 14 Abs. 2, 55`), a lower one the next Absatz.
 */
function detailsAt(
  text: string,
  start: number,
  of: { first: number; plural: boolean },
): { paragraph: string | null; sentence: string | null; end: number } {
  const short = takeAt(inParentheses, text, start) ?? takeAt(inRoman, text, start);
  const found = { paragraph: short ? arabic(short[1] ?? '') : null, sentence: short?.[2] ?? null };
  let end = start + (short?.[0].length ?? 0);
  for (let parts = 0; parts < MOST_DETAILS; parts++) {
    const paragraph = takeAt(paragraphs, text, end);
    const sentence = paragraph ? null : takeAt(sentences, text, end);
    const other = paragraph ?? sentence ?? takeAt(ordinal, text, end) ?? takeAt(numbered, text, end);
    const match = other ?? takeAt(lettered, text, end);
    if (!match) break;
    found.paragraph ??= paragraph?.[1] ?? null;
    found.sentence ??= sentence?.[1] ?? null;
    end = endOfValues(text, end + match[0].length, { letters: !other, ...of });
  }
  return { ...found, end };
}

function endOfValues(text: string, start: number, of: { letters: boolean; first: number; plural: boolean }): number {
  let end = start;
  for (let values = 0; values < MOST_DETAILS; values++) {
    const match = takeAt(of.letters ? moreLetters : moreNumbers, text, end);
    if (!match || (of.plural && Number(match[1] ?? 0) > of.first)) break;
    end += match[0].length;
  }
  return end;
}

function arabic(value: string): string {
  const place = ['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X', 'XI', 'XII', 'XIII', 'XIV', 'XV'].indexOf(
    value,
  );
  return place === -1 ? value : String(place + 1);
}
