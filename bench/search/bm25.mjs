import snowball from 'snowball-stemmers';
import { searchable } from './corpus.mjs';

const K1 = 1.2;
const B = 0.75;
/** Words without a subject of their own; in a small corpus their rarity alone would not silence them. */
const FUNCTION_WORDS = new Set(
  (
    'aber alle allein als also am an auch auf aus bei beim bin bis bist da damit dann darf das dass dein dem den denn der des dich die dies ' +
    'diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines er es etwas euch für gegen gibt hab habe haben ' +
    'hat hatte hier ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder jetzt kann kein keine keinem keinen ' +
    'keiner können könnte man mehr mein meine meinem meinen meiner mich mir mit muss müssen nach nicht nichts noch nun nur ob oder ohne sehr ' +
    'sein seine seinem seinen seiner sich sie sind so soll sollen sonst trotzdem über um und uns unser unsere unserem unter vom von vor war ' +
    'waren warum was weil welche welchem welchen welcher welches wem wen wenn wer werde werden wie will wir wird wo woran würde zu zum zur'
  ).split(' '),
);
const stemmer = snowball.newStemmer('german');
const stems = new Map();

/** @param {string} text */
const termsOf = (text) =>
  (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !FUNCTION_WORDS.has(word)).map(stemOf);

/** @param {string} word */
function stemOf(word) {
  if (!stems.has(word)) stems.set(word, stemmer.stem(word));
  return stems.get(word);
}

/**
 * Okapi BM25 over German stems (Robertson and Zaragoza, 2009), any word of the question: what a keyword leg does without
 * compounds, references or spelling variants.
 * @param {import('./corpus.mjs').Passage[]} passages
 * @returns {(question: string) => Map<string, number>} passage id to score, of the passages with a word of the question
 */
export function bm25(passages) {
  /** @type {Map<string, {index: number, times: number}[]>} */
  const postings = new Map();
  const lengths = passages.map((passage, index) => {
    const terms = termsOf(searchable(passage));
    const times = new Map();
    for (const term of terms) times.set(term, (times.get(term) ?? 0) + 1);
    for (const [term, count] of times) {
      const found = postings.get(term);
      if (found) found.push({ index, times: count });
      else postings.set(term, [{ index, times: count }]);
    }
    return terms.length;
  });
  const average = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  return (question) => {
    const scores = new Map();
    for (const term of new Set(termsOf(question))) {
      const found = postings.get(term) ?? [];
      const rarity = Math.log(1 + (passages.length - found.length + 0.5) / (found.length + 0.5));
      for (const { index, times } of found) {
        const norm = times + K1 * (1 - B + (B * lengths[index]) / average);
        const { id } = passages[index];
        scores.set(id, (scores.get(id) ?? 0) + (rarity * times * (K1 + 1)) / norm);
      }
    }
    return scores;
  };
}
