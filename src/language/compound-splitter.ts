import { ABSTRACT, germanLexicon, type GermanLexicon } from './german-lexicon.js';
import { lowered, withUmlauts } from './german-spelling.js';

const SHORTEST_COMPOUND = 6;
const LONGEST_COMPOUND = 80;
const SHORTEST_PART = 3;
const LONGEST_PART = 24;
/** What a part must bring before it pays to cut once more. */
const COST_OF_A_PART = 8;
/** A long part is evidence in itself: each letter over four counts as much as this. */
const WORTH_OF_A_LETTER = 0.45;
/** Least evidence of each part, and on average. */
const WEAKEST_PART = 1.5;
const AVERAGE_PART = 2.5;
/** On average of the parts of a long word that the list has as a whole. */
const AVERAGE_PART_OF_KNOWN = 3.5;
const LONG_WORD = 11;
/** Of a form that no noun of the list begins with, though it is made by the rules. */
const UNSEEN = 0;

interface Reading {
  value: number;
  /** Where the last part of it begins. */
  from: number;
  evidence: number;
}

/**
 * Parts of a German compound in order, as they stand in it, linking letters and inflection included
 * (baugenehmigungsverfahrens: bau, genehmigungs, verfahrens). Empty for a word that stays whole.
 * Of all ways to cut the word into known parts the one with the most evidence wins (dynamic programming over the positions, so
 * parts are cut further as long as each pays for itself); time is bounded by 80 letters.
 * @param word any case and spelling
 */
export function partsOf(word: string): string[] {
  const plain = lowered(word);
  if (plain.length < SHORTEST_COMPOUND || plain.length > LONGEST_COMPOUND) return [];
  const spelled = withUmlauts(plain);
  const parts = cut(spelled, germanLexicon());
  return parts.length > 0 || spelled === plain ? parts : cut(plain, germanLexicon());
}

/** The best reading, its long parts cut again: the list has some compounds as if they were simple. */
function cut(word: string, lexicon: GermanLexicon): string[] {
  const noun = nounIn(word, lexicon.heads);
  if (noun !== undefined && (word.length < LONG_WORD || lexicon.units.has(noun))) return [];
  if (lexicon.whole.has(word) && !endsInAdjective(word, lexicon)) return [];
  const readings = modifierReadings(word, lexicon);
  const last = bestEnd(word, readings, lexicon);
  if (!last) return [];
  const parts = partsUpTo(word, readings, last, noun === undefined ? AVERAGE_PART : AVERAGE_PART_OF_KNOWN);
  return parts.flatMap((part) => again(part, lexicon));
}

function again(part: string, lexicon: GermanLexicon): string[] {
  const parts = part.length < LONG_WORD ? [] : cut(part, lexicon);
  return parts.length > 0 ? parts : [part];
}

const endsInAdjective = (word: string, lexicon: GermanLexicon): boolean => {
  for (let at = word.length - SHORTEST_PART; at >= SHORTEST_PART && word.length - at <= LONGEST_PART; at--)
    if (adjectiveEvidence(word.slice(at), lexicon) !== undefined) return true;
  return false;
};

/** For each position that first and middle parts can reach, the best way there. */
function modifierReadings(word: string, lexicon: GermanLexicon): (Reading | undefined)[] {
  const readings: (Reading | undefined)[] = [{ value: 0, from: 0, evidence: 0 }];
  for (let from = 0; from <= word.length - 2 * SHORTEST_PART; from++) {
    const before = readings[from];
    if (!before) continue;
    const longest = Math.min(word.length - SHORTEST_PART, from + LONGEST_PART);
    for (let to = from + SHORTEST_PART; to <= longest; to++) {
      const evidence = modifierEvidence(word.slice(from, to), lexicon);
      if (evidence === undefined || strengthOf(evidence, to - from) < WEAKEST_PART) continue;
      const value = before.value + evidence - COST_OF_A_PART;
      if (value > (readings[to]?.value ?? -Infinity)) readings[to] = { value, from, evidence };
    }
  }
  return readings;
}

function bestEnd(word: string, readings: (Reading | undefined)[], lexicon: GermanLexicon): Reading | undefined {
  let best: Reading | undefined;
  for (let from = SHORTEST_PART; from <= word.length - SHORTEST_PART; from++) {
    const before = readings[from];
    if (!before) continue;
    const head = word.slice(from);
    const evidence = adjectiveEvidence(head, lexicon) ?? nounEvidence(head, lexicon);
    if (evidence === undefined || strengthOf(evidence, head.length) < WEAKEST_PART) continue;
    const value = before.value + evidence;
    if (value > (best?.value ?? -Infinity)) best = { value, from, evidence };
  }
  return best;
}

const strengthOf = (evidence: number, letters: number) => evidence + WORTH_OF_A_LETTER * (letters - 4);

/** The parts of the best reading, or none where they are too weak together. */
function partsUpTo(word: string, readings: (Reading | undefined)[], last: Reading, least: number): string[] {
  const parts: string[] = [];
  let strength = 0;
  for (let end = word.length, reading: Reading | undefined = last; reading && end > 0; reading = readings[end]) {
    strength += strengthOf(reading.evidence, end - reading.from);
    parts.unshift(word.slice(reading.from, end));
    end = reading.from;
  }
  return strength / parts.length >= least ? parts : [];
}

function modifierEvidence(form: string, { modifiers, heads }: GermanLexicon): number | undefined {
  const seen = modifiers.get(form);
  if (seen !== undefined || form.length < 5) return seen;
  if (heads.has(form) && !ABSTRACT.test(form)) return UNSEEN;
  const isLinked =
    (/[ns]$/.test(form) && heads.has(form.slice(0, -1))) || (form.endsWith('en') && heads.has(form.slice(0, -2)));
  return isLinked ? UNSEEN : undefined;
}

const NOUN_ENDINGS = ['s', 'n', 'e', 'en', 'es', 'er', 'r', 'ern', 'nen', 'se', 'sen', 'ses', 'm', 'ns', 'in', 'innen'];
const WITH_UMLAUT = new Set(['e', 'en', 'er', 'ern', 'n', 's']);
const UMLAUT = /[äöü](?=[^äöü]*$)/;
const plain: Readonly<Record<string, string>> = { ä: 'a', ö: 'o', ü: 'u' };
const withoutUmlaut = (word: string) => word.replace(UMLAUT, (letter) => plain[letter] ?? letter);

function nounEvidence(form: string, { heads }: GermanLexicon): number | undefined {
  const noun = nounIn(form, heads);
  return noun === undefined ? undefined : heads.get(noun);
}

/** The noun with most evidence that the form may be a case or number of. */
function nounIn(form: string, heads: Map<string, number>): string | undefined {
  let best: string | undefined;
  let most = -1;
  const consider = (noun: string) => {
    const evidence = heads.get(noun) ?? -1;
    if (evidence > most) [best, most] = [noun, evidence];
  };
  consider(form);
  const hasUmlaut = UMLAUT.test(form);
  if (hasUmlaut) consider(withoutUmlaut(form));
  for (const ending of NOUN_ENDINGS) {
    if (!form.endsWith(ending) || form.length - ending.length < SHORTEST_PART) continue;
    const base = form.slice(0, -ending.length);
    consider(base);
    if (hasUmlaut && WITH_UMLAUT.has(ending)) consider(withoutUmlaut(base));
  }
  return best;
}

/** Evidence of an adjective that ends compounds, in any form. */
const adjectiveEvidence = (form: string, { adjectiveHeads }: GermanLexicon): number | undefined =>
  adjectiveHeads.get(form) ?? adjectiveHeads.get(form.replace(/e[nmrs]?$/, ''));

/** Whether the word is a German noun of some length, a compound, or a word that is none though it looks like one. */
export function isGermanWord(word: string): boolean {
  const spelled = withUmlauts(lowered(word));
  if (spelled.length < SHORTEST_COMPOUND) return false;
  const lexicon = germanLexicon();
  return nounIn(spelled, lexicon.heads) !== undefined || lexicon.whole.has(spelled) || partsOf(spelled).length > 0;
}
