import { legalReferences, type LegalReference } from '../../../language/legal-references.js';
import { termsOf } from '../../../language/german-terms.js';
import { tokensOf } from '../../../language/tokens.js';

/** How much of an answer its source says. */
export interface Grounding {
  /** Of the answer's words in the source, 0 to 1; a compound counts by its parts. */
  share: number;
  /** Numbers and provisions of the answer that the source does not have. */
  invented: string[];
}

/** What a number is called in German; of one only what an article cannot be. */
const NUMBER_WORDS: Readonly<Record<string, RegExp>> = {
  '1': /^(?:ein|eins|eine[mnrs]?)$/i,
  '2': /^zwei(?:er|en|ten?)?$/i,
  '3': /^drei(?:er|en)?$|^dritten?$/i,
  '4': /^vier(?:er|en|ten?)?$/i,
  '5': /^fünf(?:er|en|ten?)?$/i,
  '6': /^sechs(?:er|en|ten?)?$/i,
  '7': /^sieben$|^siebten?$/i,
  '8': /^acht(?:er|en)?$/i,
  '9': /^neun(?:er|en|ten?)?$/i,
  '10': /^zehn(?:er|en|ten?)?$/i,
  '11': /^elf(?:ten?)?$/i,
  '12': /^zwölf(?:ten?)?$/i,
};

const isNumber = (token: string): boolean => /^\p{Nd}/u.test(token);
const plain = (token: string): string => token.replaceAll('.', '').toLowerCase();
const nameOf = ({ key, sign, number }: LegalReference): string => key ?? `${sign} ${number}`;

interface Use {
  term: string;
  parts: string[];
}

/** Words with what they are made of; numbers are looked at by themselves. */
function wordsOf(text: string): Use[] {
  const uses: Use[] = [];
  for (const { term, kind } of termsOf(text)) {
    if (isNumber(term)) continue;
    if (kind === 'word') uses.push({ term, parts: [] });
    else uses.at(-1)?.parts.push(term);
  }
  return uses;
}

function sharedWords(answer: string, source: string): number {
  const known = new Set(termsOf(source).map(({ term }) => term));
  const uses = wordsOf(answer);
  const weight = ({ term, parts }: Use): number => {
    if (known.has(term)) return 1;
    return parts.length === 0 ? 0 : parts.filter((part) => known.has(part)).length / parts.length;
  };
  return uses.length === 0 ? 1 : uses.reduce((sum, use) => sum + weight(use), 0) / uses.length;
}

function inventedNumbers(answer: string, source: string): string[] {
  const tokens = tokensOf(source).flatMap((token) => (isNumber(token) ? token.split('-') : [token]));
  const numbers = new Set(tokens.filter(isNumber).map(plain));
  const words = tokens.filter((token) => !isNumber(token));
  return tokensOf(answer)
    .filter(isNumber)
    .flatMap((token) => token.split('-'))
    .filter((token) => !numbers.has(plain(token)) && !words.some((word) => NUMBER_WORDS[plain(token)]?.test(word)));
}

/**
 * Compares an answer with what it was made of.
 * @param source the passage and where it stands
 * @param provision that the passage is, such as `vwvfg:35`; others are read as of its law
 */
export function groundingOf(answer: string, source: string, provision: string | null): Grounding {
  const ownLaw = provision?.split(':')[0] ?? null;
  const known = new Set([provision, ...legalReferences(source, ownLaw).map(nameOf)]);
  const provisions = legalReferences(answer, ownLaw).filter((reference) => !known.has(nameOf(reference)));
  const invented = [...provisions.map(({ raw }) => raw), ...inventedNumbers(answer, source)];
  return { share: sharedWords(answer, source), invented: [...new Set(invented)] };
}
