import { lawTable, lawsOfArticles, otherAbbreviations } from './law-table.js';

const LONGEST_NAME = 18;
const ROMAN_BOOKS = ['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X', 'XI', 'XII', 'XIII', 'XIV'];
const ORDINAL_BOOKS =
  'erst zweit dritt viert fünft sechst siebt acht neunt zehnt elft zwölft dreizehnt vierzehnt'.split(' ');

/** One word of a name: hyphens inside may stand at the end of a line. */
export const nameWord =
  /\p{L}[\p{L}\d]*(?:[-/][^\S\n]{0,20}(?:\n[^\S\n]{0,20})?(?:(?:auf|für|und)-[^\S\n]{0,20}(?:\n[^\S\n]{0,20})?)?\p{Lu}[\p{L}\d]*)*/uy;

/** Lower case, letters and digits only. */
function slugOf(name: string): string {
  return name
    .normalize('NFC')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/[^\p{L}\d]/gu, '');
}

/** Without the endings of declension, so that a genitive finds the name. */
function stemOf(word: string): string {
  const slug = slugOf(word);
  return slug.length < 5 ? slug : slug.replace(/(?:en|es|er|em|e|s)$/, '');
}

const stemsOf = (name: string): string => (name.match(/[\p{L}\d/-]+/gu) ?? []).map(stemOf).join(' ');

const byName = new Map(
  Object.entries(lawTable).flatMap(([law, names]) => names.map((name) => [stemsOf(name), law] as const)),
);
const firstWords = new Set([...byName.keys()].map((name) => name.split(' ', 1)[0]));
const bySlug = new Map([
  ...Object.keys(lawTable).map((law) => [slugOf(law), law] as const),
  ...Object.entries(otherAbbreviations).map(([other, law]) => [slugOf(other), law] as const),
]);
const articleSlugs = new Set([...lawsOfArticles].map(slugOf));

/** The abbreviation of a known law, whatever case and hyphens it is written with; null for an unknown one. */
export function knownAbbreviation(text: string): string | null {
  return bySlug.get(slugOf(text)) ?? null;
}

/** The known law whose full name begins at the first of these words: the longest one. */
export function knownName(words: readonly string[]): { law: string; words: number } | null {
  const stems = words.slice(0, LONGEST_NAME).map(stemOf);
  if (!firstWords.has(stems[0])) return null;
  for (let count = stems.length; count > 0; count--) {
    const law = byName.get(stems.slice(0, count).join(' '));
    if (law !== undefined) return { law, words: count };
  }
  return null;
}

/** `SGB X` of `X`, `10` or `Zehnten`; null for what names no book. */
export function socialCodeBook(book: string): string | null {
  const ordinal = book.toLowerCase().replace(/e[sn]?$/, '');
  const roman =
    ROMAN_BOOKS[Number(book) - 1] ??
    ROMAN_BOOKS[ORDINAL_BOOKS.indexOf(ordinal)] ??
    ROMAN_BOOKS.find((each) => each === book.toUpperCase());
  return roman === undefined ? null : `SGB ${roman}`;
}

/** The one spelling of a law's abbreviation or name: `BDSG 2018` is `BDSG`, `SGB 10` is `SGB X`. */
export function canonicalLaw(name: string): string {
  const plain = name
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/ (?:1[89]|20)\d\d$/, '');
  const book = /^(?:SGB|Sozialgesetzbuch)[ -]?([IVX]+|\d+)$/i.exec(plain)?.[1];
  const words = plain.split(' ');
  const named = knownName(words);
  return (
    (book === undefined ? null : socialCodeBook(book)) ??
    knownAbbreviation(plain) ??
    (named?.words === words.length ? named.law : plain)
  );
}

/** What keys of the law's provisions begin with: `SGB X` gives `sgb10`, `AufenthG 2004` gives `aufenthg`. */
export function lawSlug(law: string): string {
  const canonical = canonicalLaw(law);
  const roman = /^SGB ([IVX]+)$/.exec(canonical)?.[1];
  return roman === undefined ? slugOf(canonical) : `sgb${String(ROMAN_BOOKS.indexOf(roman) + 1)}`;
}

/** Whether the law is divided into articles, such as the Grundgesetz and the laws of Bavaria. */
export function isLawOfArticles(law: string): boolean {
  return articleSlugs.has(lawSlug(law)) || /^(?:Bay\p{Lu}|(?:VO|RL) \d|LV\b|.*[Vv]erfassung\b)/u.test(law);
}
