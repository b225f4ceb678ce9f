/**
 * Numbers that are the same on every run.
 * @param {number} seed
 * @returns {(below: number) => number}
 */
export function drawing(seed) {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x2545f491) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * below);
  };
}

const SYLLABLES =
  'ver wal tung ge setz be hör de an trag sat zung bau ord nung recht frist lei stung kreis stadt amt prü fung er lass plan ein'.split(
    ' ',
  );
const WORDS = 20_000;
const drawWord = drawing(11);
const vocabulary = Array.from({ length: WORDS }, () =>
  Array.from({ length: 1 + drawWord(3) }, () => SYLLABLES[drawWord(SYLLABLES.length)]).join(''),
);

/** Small numbers more often than large ones, as words are in a language. */
const word = (draw) => vocabulary[Math.floor((draw(WORDS) * draw(WORDS)) / WORDS)];
const some = (draw, count) => Array.from({ length: count }, () => word(draw));

/** What all documents of an office begin and end with. */
const frames = Array.from({ length: 50 }, (_, office) => some(drawing(1000 + office), 12));

/** @param {number} words @returns {string[]} */
export function made(draw, words) {
  const frame = frames[draw(frames.length)];
  return [...frame, ...some(draw, words - 2 * frame.length), ...frame];
}

/** Ways in which documents come to differ; `share` is about the part of the shingles that it changes. */
const edits = [
  (words, share, draw) => {
    const copy = [...words];
    for (let left = Math.round((share * words.length) / 5); left > 0; left -= 1) copy[draw(copy.length)] = word(draw);
    return copy;
  },
  (words, share, draw) => {
    const length = Math.round(share * words.length);
    return words.toSpliced(draw(words.length - length), length, ...some(draw, length));
  },
  (words, share, draw) => {
    const length = Math.round(share * 2 * words.length);
    return words.toSpliced(draw(Math.max(1, words.length - length)), length);
  },
  (words, share, draw) => [...words, ...some(draw, Math.round(share * 2 * words.length))],
];

/**
 * Documents in a random order; half of them are alone, the others come in pairs and triples whose similarity lies
 * anywhere from 0.4 to 1.
 * @param {{documents: number, words: number, seed: number}} options
 * @returns {{words: string[], group: number}[]}
 */
export function makeCorpus({ documents, words, seed }) {
  const draw = drawing(seed);
  const all = [];
  for (let group = 0; all.length < documents; group += 1) {
    const base = made(draw, words);
    all.push({ words: base, group });
    for (let copies = draw(4) < 2 ? 0 : 1 + draw(2); copies > 0 && all.length < documents; copies -= 1)
      all.push({ words: edits[draw(edits.length)](base, (draw(1000) / 1000) * 0.43, draw), group });
  }
  for (let at = all.length - 1; at > 0; at -= 1) {
    const other = draw(at + 1);
    [all[at], all[other]] = [all[other], all[at]];
  }
  return all;
}

/** As a text: sentences of twelve words. */
export const textOf = (words) =>
  words
    .map((word, at) => (at % 12 === 0 ? word[0].toUpperCase() + word.slice(1) : at % 12 === 11 ? `${word}.` : word))
    .join(' ');

const shinglesOf = (words) =>
  new Set(Array.from({ length: words.length - 4 }, (_, at) => words.slice(at, at + 5).join(' ')));

/** @param {Set<string>} one @param {Set<string>} other */
function jaccard(one, other) {
  let both = 0;
  for (const shingle of one) if (other.has(shingle)) both += 1;
  return both / (one.size + other.size - both);
}

/**
 * Exact similarities: of each document to those of its group that stand before it.
 * @param {{words: string[], group: number}[]} corpus
 * @returns {Map<number, number>[]} by document
 */
export function truthOf(corpus) {
  const before = new Map();
  return corpus.map(({ words, group }, at) => {
    const shingles = shinglesOf(words);
    const others = before.get(group) ?? [];
    before.set(group, [...others, { at, shingles }]);
    return new Map(others.map((other) => [other.at, jaccard(shingles, other.shingles)]));
  });
}

/**
 * @param {Map<number, number>[]} truth
 * @param {(number | null)[]} answers the document that each was called a near duplicate of
 * @param {number} threshold
 */
export function judge(truth, answers, threshold) {
  const real = truth.map((others) => Math.max(0, ...others.values()) >= threshold);
  const answered = answers.filter((answer) => answer !== null).length;
  const right = answers.filter((answer, at) => answer !== null && (truth[at].get(answer) ?? 0) >= threshold).length;
  const found = answers.filter((answer, at) => answer !== null && real[at]).length;
  return { recall: found / real.filter(Boolean).length, precision: right / Math.max(1, answered) };
}
