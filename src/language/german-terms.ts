import { partsOf } from './compound-splitter.js';
import { lowered, withUmlauts } from './german-spelling.js';
import { stemOf } from './german-stem.js';
import { Recent } from './recent.js';
import { isStopWord } from './stop-words.js';
import type { TermUse } from './term-use.js';
import { tokensOf } from './tokens.js';

/** A word between hyphens nearly stands on its own. */
const HYPHENATED_WEIGHT = 0.7;
/** Neighbouring parts of a compound together: baugenehmigung in Baugenehmigungsverfahren. */
const SPAN_WEIGHT = 0.6;
const PART_WEIGHT = 0.5;
/** Above this many parts only single ones count, so that a word gives a bounded number of terms. */
const PARTS_WITH_SPANS = 5;
/** Longer runs of letters are no words; they are cut to this many characters as a term. */
const LONGEST_TERM = 100;
const LONGEST_REMEMBERED = 60;
const REMEMBERED = 20_000;

interface Analysis {
  uses: readonly TermUse[];
  isStop: boolean;
}

const analyses = new Recent<Analysis>(REMEMBERED);

/**
 * The search terms of a German text in order, one entry for each occurrence: the words, and after each its parts with less
 * weight. Stop words give none, unless the text has no other words. The same text gives the same terms at any time: nothing
 * but files of this folder decides. Entries are shared and frozen.
 */
export function termsOf(text: string): TermUse[] {
  const uses: TermUse[] = [];
  const ofStopWords: TermUse[] = [];
  for (const token of tokensOf(text)) {
    const { uses: found, isStop } = analysisOf(token);
    const into = isStop ? ofStopWords : uses;
    for (const use of found) into.push(use);
  }
  return uses.length > 0 ? uses : ofStopWords;
}

function analysisOf(token: string): Analysis {
  const known = analyses.get(token);
  if (known) return known;
  const uses = token.includes('-') ? hyphenatedUses(token) : wordUses(token, token, 1);
  const analysis = { uses: uses.map((use) => Object.freeze(use)), isStop: isStopWord(withUmlauts(lowered(token))) };
  if (token.length <= LONGEST_REMEMBERED) analyses.set(token, analysis);
  return analysis;
}

/** The word and its parts; of a word that is itself a part (weight below 1) all weigh less. */
function wordUses(token: string, word: string, weight: number): TermUse[] {
  const kind = weight === 1 ? 'word' : 'part';
  const uses: TermUse[] = [{ term: termOf(token), weight, kind, word }];
  const parts = partsOf(token);
  const add = (part: string, share: number) =>
    uses.push({ term: termOf(part), weight: weight * share, kind: 'part', word });
  for (const part of parts) add(part, PART_WEIGHT);
  for (const span of parts.length <= PARTS_WITH_SPANS ? spansOf(parts) : []) add(span, SPAN_WEIGHT);
  return uses;
}

/** Two or more neighbouring parts together, but not all of them. */
function spansOf(parts: readonly string[]): string[] {
  const spans: string[] = [];
  for (let length = 2; length < parts.length; length++)
    for (let from = 0; from + length <= parts.length; from++) spans.push(parts.slice(from, from + length).join(''));
  return spans;
}

/** Kfz-Steuer gives kfzsteuer, kfz and steuer; 35a-35c only 35a and 35c. Single letters (E-Mail) are no parts. */
function hyphenatedUses(token: string): TermUse[] {
  const pieces = token.split('-');
  if (pieces.every((piece) => /^\p{N}/u.test(piece))) return pieces.flatMap((piece) => wordUses(piece, piece, 1));
  const whole: TermUse = { term: termOf(pieces.join('')), weight: 1, kind: 'word', word: token };
  const meaningful = pieces.filter((piece) => piece.length > 1 && !isStopWord(lowered(piece)));
  return [whole, ...meaningful.flatMap((piece) => wordUses(piece, token, HYPHENATED_WEIGHT))];
}

/** Numbers as they are, without points; words stemmed. */
function termOf(word: string): string {
  const start = word.slice(0, LONGEST_TERM);
  return /^\p{N}/u.test(start) ? lowered(start.replaceAll('.', '')) : stemOf(start);
}
