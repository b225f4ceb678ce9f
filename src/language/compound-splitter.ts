import { ABSTRACT, germanLexicon, type GermanLexicon } from './german-lexicon.js';
import { lowered, withUmlauts } from './german-spelling.js';

const SHORTEST_COMPOUND = 6;
const LONGEST_COMPOUND = 80;
const SHORTEST_PART = 3;
const LONGEST_PART = 24;
/** What a part must bring before it pays to cut once more. */
const COST_OF_A_PART = 3.5;
/** A long part is evidence in itself: each letter over four counts as much as this. */
const WORTH_OF_A_LETTER = 0.45;
/** Least evidence of each part, and on average. */
const WEAKEST_PART = 1.5;
const AVERAGE_PART = 2.5;
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

function cut(word: string, lexicon: GermanLexicon): string[] {
  if (nounEvidence(word, lexicon) !== undefined) return [];
  const adjective = adjectiveReading(word, lexicon);
  if (!adjective && lexicon.whole.has(word)) return [];
  const readings = modifierReadings(word, lexicon);
  const last = bestEnd(word, readings, lexicon);
  return last ? partsUpTo(word, readings, last) : [];
}

const adjectiveReading = (word: string, lexicon: GermanLexicon): boolean => {
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
      if (evidence === undefined) continue;
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
    if (evidence === undefined) continue;
    const value = before.value + evidence;
    if (value > (best?.value ?? -Infinity)) best = { value, from, evidence };
  }
  return best;
}

/** The parts of the best reading, or none where one of them or all together are too weak. */
function partsUpTo(word: string, readings: (Reading | undefined)[], last: Reading): string[] {
  const parts: string[] = [];
  let weakest = Infinity;
  let sum = 0;
  for (let end = word.length, reading: Reading | undefined = last; reading && end > 0; reading = readings[end]) {
    const strength = reading.evidence + WORTH_OF_A_LETTER * (end - reading.from - 4);
    weakest = Math.min(weakest, strength);
    sum += strength;
    parts.unshift(word.slice(reading.from, end));
    end = reading.from;
  }
  return weakest >= WEAKEST_PART && sum / parts.length >= AVERAGE_PART ? parts : [];
}

function modifierEvidence(form: string, { modifiers, heads }: GermanLexicon): number | undefined {
  const seen = modifiers.get(form);
  if (seen !== undefined || form.length < 5) return seen;
  if (form.endsWith('s') && ABSTRACT.test(form.slice(0, -1)) && heads.has(form.slice(0, -1))) return UNSEEN;
  if (heads.has(form) && !ABSTRACT.test(form)) return UNSEEN;
  return form.endsWith('n') && heads.has(form.slice(0, -1)) ? UNSEEN : undefined;
}

const NOUN_ENDINGS = ['s', 'n', 'e', 'en', 'es', 'er', 'r', 'ern', 'nen', 'se', 'sen', 'ses', 'm', 'in', 'innen'];
const WITH_UMLAUT = new Set(['e', 'en', 'er', 'ern', 'n', 's']);

/** Evidence of a noun in any case and number. */
function nounEvidence(form: string, { heads }: GermanLexicon): number | undefined {
  const exact = heads.get(form);
  if (exact !== undefined) return exact;
  for (const ending of NOUN_ENDINGS) {
    if (!form.endsWith(ending) || form.length - ending.length < SHORTEST_PART) continue;
    const base = form.slice(0, -ending.length);
    const found = heads.get(base) ?? (WITH_UMLAUT.has(ending) ? heads.get(withoutUmlaut(base)) : undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}

const plain: Readonly<Record<string, string>> = { ä: 'a', ö: 'o', ü: 'u' };
const withoutUmlaut = (word: string) => word.replace(/[äöü](?=[^äöü]*$)/, (letter) => plain[letter] ?? letter);

/** Evidence of an adjective that ends compounds, in any form. */
const adjectiveEvidence = (form: string, { adjectiveHeads }: GermanLexicon): number | undefined =>
  adjectiveHeads.get(form) ?? adjectiveHeads.get(form.replace(/e[nmrs]?$/, ''));
