import { lowered, withUmlauts } from './german-spelling.js';

/** The German stemmer of Snowball, https://snowballstem.org/algorithms/german/stemmer.html; one pass, no state. */

const VOWELS = 'aeiouyäöü';
const BEFORE_S = 'bdfghklmnrt';
const BEFORE_ST = 'bdfghklmnt';
const isVowel = (letter: string | undefined) => letter !== undefined && VOWELS.includes(letter);

/** Stem of a lowered word as the algorithm has it; umlauts are gone. */
export function snowballStem(word: string): string {
  const marked = consonants(word);
  const afterFirst = regionAfter(marked, 0);
  const r1 = word.length < 3 ? word.length : Math.max(3, afterFirst);
  const r2 = word.length < 3 ? word.length : regionAfter(marked, afterFirst);
  const stem = withoutDerivation(withoutDegree(withoutInflection(marked, r1), r1), r1, r2);
  return stem.replace(/[UYäöü]/g, (letter) => plain[letter] ?? letter);
}

const plain: Readonly<Record<string, string>> = { U: 'u', Y: 'y', ä: 'a', ö: 'o', ü: 'u' };

/** u and y between vowels count as consonants. */
function consonants(word: string): string {
  let marked = '';
  for (let at = 0; at < word.length; at++) {
    const letter = word.charAt(at);
    const between = (letter === 'u' || letter === 'y') && isVowel(marked[at - 1]) && isVowel(word[at + 1]);
    marked += between ? letter.toUpperCase() : letter;
  }
  return marked;
}

/** After the first consonant that follows a vowel, from `start`. */
function regionAfter(word: string, start: number): number {
  let at = start;
  while (at < word.length && !isVowel(word[at])) at++;
  while (at < word.length && isVowel(word[at])) at++;
  return Math.min(word.length, at + 1);
}

const endingOf = (word: string, endings: readonly string[]) => endings.find((ending) => word.endsWith(ending));

/** em, ern, er; e, en, es; s after a consonant that allows it. */
function withoutInflection(word: string, r1: number): string {
  const ending = endingOf(word, ['ern', 'em', 'er', 'en', 'es', 'e', 's']);
  if (ending === undefined || word.length - ending.length < r1) return word;
  const rest = word.slice(0, -ending.length);
  if (ending === 's') return BEFORE_S.includes(rest.at(-1) ?? '-') ? rest : word;
  return ending.startsWith('e') && ['e', 'en', 'es'].includes(ending) && rest.endsWith('niss')
    ? rest.slice(0, -1)
    : rest;
}

/** en, er, est; st after a consonant that allows it and three letters more. */
function withoutDegree(word: string, r1: number): string {
  const ending = endingOf(word, ['est', 'en', 'er', 'st']);
  if (ending === undefined || word.length - ending.length < r1) return word;
  const rest = word.slice(0, -ending.length);
  if (ending !== 'st') return rest;
  return rest.length > 3 && BEFORE_ST.includes(rest.at(-1) ?? '-') ? rest : word;
}

/** end, ung, ig, ik, isch, lich, heit, keit. */
function withoutDerivation(word: string, r1: number, r2: number): string {
  const ending = endingOf(word, ['isch', 'lich', 'heit', 'keit', 'end', 'ung', 'ig', 'ik']);
  if (ending === undefined || word.length - ending.length < r2) return word;
  const rest = word.slice(0, -ending.length);
  if (ending === 'end' || ending === 'ung') return withoutIg(rest, r2);
  if (ending === 'ig' || ending === 'ik' || ending === 'isch') return rest.endsWith('e') ? word : rest;
  if (ending === 'keit') return without(rest, ['lich', 'ig'], r2);
  return without(rest, ['er', 'en'], r1);
}

const withoutIg = (word: string, region: number) => (word.endsWith('eig') ? word : without(word, ['ig'], region));

function without(word: string, endings: readonly string[], region: number): string {
  const ending = endingOf(word, endings);
  return ending !== undefined && word.length - ending.length >= region ? word.slice(0, -ending.length) : word;
}

/** Roots whose umlaut tells words apart: Förderung and Forderung, Zählung and Zahlung. */
const APART: readonly [RegExp, string][] = [
  [/^((?:be|aus|ab|an)?(?:ge)?)förder/, '$1foerder'],
  [/^((?:er|auf|aus|ver)?(?:ge)?)zähl/, '$1zaehl'],
];
/** The stemmer would make a castle (Burg) of them. */
const CITIZEN = /^bürger(?:[ns]|in|innen)?$/;

/** The term of a word: lowered, umlauts restored, stemmed. Equal for all spellings and most inflections of a word. */
export function stemOf(word: string): string {
  const spelled = withUmlauts(lowered(word));
  if (CITIZEN.test(spelled)) return 'burger';
  const rule = APART.find(([pattern]) => pattern.test(spelled));
  return snowballStem(rule ? spelled.replace(rule[0], rule[1]) : spelled);
}
