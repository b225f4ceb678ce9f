import { HEADS, MODIFIERS, VERBAL, WHOLE } from './german-words.generated.js';
import { ADJECTIVE_HEADS, ADMINISTRATIVE_WORDS, MORE_MODIFIERS, OPAQUE_WORDS } from './administrative-words.js';

/** What German compounds are made of. Numbers are evidence: ln(1 + how many nouns of the word list are made with it). */
export interface GermanLexicon {
  /** First and middle parts as they stand in a compound, with their linking letters (genehmigungs, straßen, wohn). */
  modifiers: Map<string, number>;
  /** Last parts in the nominative, and simple nouns as a whole. */
  heads: Map<string, number>;
  /** Adjectives that end compounds (gebührenpflichtig), without ending. */
  adjectiveHeads: Map<string, number>;
  /** Nouns that are never cut: those of our own lists, and Feststellung, which is made of feststellen. */
  units: Set<string>;
  /** Words that look like compounds and are none. */
  whole: Set<string>;
}

/** Words of our own lists count like those that 60 nouns are made with. */
const LISTED = Math.log1p(60);
/** Suffixes after which a first part always has its linking s. */
export const ABSTRACT = /(?:ung|heit|keit|schaft|ion|tät|ling|tum)$/;

let loaded: GermanLexicon | undefined;

/** The lexicon, read at its first use (some 50 ms). */
export function germanLexicon(): GermanLexicon {
  loaded ??= read();
  return loaded;
}

function read(): GermanLexicon {
  const modifiers = counted(MODIFIERS);
  const heads = counted(HEADS);
  const listed = [...listOf(ADMINISTRATIVE_WORDS), ...listOf(OPAQUE_WORDS)];
  for (const word of listed) {
    heads.set(word, LISTED);
    for (const form of linkedForms(word)) modifiers.set(form, LISTED);
  }
  for (const form of listOf(MORE_MODIFIERS)) modifiers.set(form, LISTED);
  const adjectiveHeads = new Map(listOf(ADJECTIVE_HEADS).map((word) => [word, LISTED]));
  const units = new Set([...listed, ...listOf(VERBAL)]);
  return { modifiers, heads, adjectiveHeads, units, whole: new Set(listOf(WHOLE)) };
}

const listOf = (words: string): string[] =>
  words
    .replaceAll('ß', 'ss')
    .split(/\s+/)
    .filter((word) => word !== '');

/** Lines `count word word`. */
function counted(lines: string): Map<string, number> {
  const evidence = new Map<string, number>();
  for (const line of lines.split('\n')) {
    const [count = '', ...words] = line.split(' ');
    for (const word of words) evidence.set(word, Math.log1p(Number(count)));
  }
  return evidence;
}

/** The forms in which a noun can stand before another. */
function linkedForms(noun: string): string[] {
  if (ABSTRACT.test(noun)) return [`${noun}s`, `${noun}en`];
  if (noun.endsWith('e')) return [noun, `${noun}n`, `${noun}s`];
  if (/(?:nis|er|en|el)$/.test(noun)) return [noun, `${noun}s`];
  return [noun, `${noun}s`, `${noun}es`, `${noun}en`];
}
