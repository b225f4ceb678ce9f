// Which words German compounds are made of, counted over a list of nouns.

/**
 * @typedef {object} WordLists all lowered, ss for ß
 * @property {Set<string>} nouns
 * @property {Set<string>} words inflected forms of every kind of word
 * @property {Map<string, number>} bands of common words, 10 the most common
 *
 * @typedef {object} Composition
 * @property {Map<string, number>} modifiers how many nouns begin with the form, its linking letters included
 * @property {Map<string, number>} heads how many nouns end with the noun; 0: a common noun that ends none
 * @property {string[]} verbal nouns made of whole verbs that look like compounds: Feststellung
 * @property {string[]} whole words that are no nouns and must stay whole though they look like compounds
 *
 * @typedef {{modifier: string, head: string}} Cut
 */

/** Before them an s is always written: Verwaltungsakt. */
const ABSTRACT = /(?:ung|heit|keit|schaft|ion|tät|ling|tum)$/;
const LINKS = ['ens', 'es', 'en', 'er', 's', 'n', 'e'];
const ROUNDS = 4;
const SHORTEST = 3;
/** Prefixes, particles and endings that happen to be in the list. */
const NO_MODIFIER = new Set(
  `ab all an auf aus auss bei best bis dar dis durch ein ent fort für gar gegen gen her hin ich inter ist kar kon los miss mit
  multi nach per pol pro rück sch schaft schi tele trans über überein um unter ver verb vers vor weg wider wieder zer zurück
  zusammen`.split(/\s+/),
);
const NO_HEAD = new Set(
  `dung elle ende ente ern ion ische ismus kost laterale lei ling lose riff same samen schaft sein ster tand teller tum ung
  zer`.split(/\s+/),
);
/** Words of three letters that do make compounds; the others are mostly cut out of longer ones. */
const SHORT_MODIFIERS = new Set(
  `abo alt amt arm bau bio box bus ehe eid eil eis end erb erd erz gas geh hof hör job kfz kur lkw nah neu not öko ost pkw rad
  rat roh rot ruf see süd tag tat tee tod ton tor tür uhr uni web weg zoo zug`.split(/\s+/),
);
const SHORT_HEADS = new Set(
  'akt amt art bad bau box bus ehe eid eis gas gut hof job kur not ort rad rat ruf see tag tat tod tor tür typ uhr weg zug'.split(
    ' ',
  ),
);
const COMMON = 30;
/** As src/language/compound-splitter.ts weighs: ln(1 + count) and the length of the part; least of each, and on average. */
const WORTH_OF_A_LETTER = 0.45;
const WEAKEST_PART = 1.5;
const AVERAGE_PART = 2.5;

/** @param {string} word */
const withoutUmlaut = (word) =>
  word.replace(/[äöü](?=[^äöü]*$)/, (letter) => ({ ä: 'a', ö: 'o', ü: 'u' })[letter] ?? letter);

/**
 * @param {string} form
 * @param {WordLists} lists
 */
function mayModify(form, { nouns, words, bands }) {
  if (NO_MODIFIER.has(form) || (form.length === SHORTEST && !SHORT_MODIFIERS.has(form))) return false;
  if ((nouns.has(form) && !ABSTRACT.test(form)) || nouns.has(`${form}e`) || bands.has(form)) return true;
  if (words.has(`${form}en`) || (form.endsWith('e') && words.has(`${form}n`))) return true;
  return LINKS.some((link) => {
    const base = form.slice(0, -link.length);
    return form.endsWith(link) && base.length >= SHORTEST && (nouns.has(base) || nouns.has(withoutUmlaut(base)));
  });
}

/**
 * @param {string} head
 * @param {WordLists} lists
 */
function mayBeHead(head, { nouns, bands }) {
  if (!nouns.has(head) || NO_HEAD.has(head)) return false;
  if (head.length === SHORTEST) return SHORT_HEADS.has(head);
  return head.length > SHORTEST + 1 || (bands.get(head) ?? 99) <= COMMON;
}

/**
 * @param {string} noun
 * @param {WordLists} lists
 * @returns {Cut[]} every way to cut it in two
 */
function cutsOf(noun, lists) {
  const cuts = [];
  for (let at = SHORTEST; at <= noun.length - SHORTEST; at++) {
    const modifier = noun.slice(0, at);
    const head = noun.slice(at);
    if (mayBeHead(head, lists) && mayModify(modifier, lists)) cuts.push({ modifier, head });
  }
  return cuts;
}

/** @param {{modifiers: Map<string, number>, heads: Map<string, number>}} counts */
const scoring =
  ({ modifiers, heads }) =>
  (/** @type {Cut} */ { modifier, head }) =>
    Math.log1p(modifiers.get(modifier) ?? 0) + Math.log1p(heads.get(head) ?? 0);

/**
 * Counts again and again, each time only the likeliest cut by the counts before.
 * @param {Cut[][]} cutsOfAll
 */
function counted(cutsOfAll) {
  let counts = { modifiers: new Map(), heads: new Map() };
  for (let round = 0; round < ROUNDS; round++) {
    const score = scoring(counts);
    const next = { modifiers: new Map(), heads: new Map() };
    for (const cuts of cutsOfAll)
      for (const { modifier, head } of round === 0 ? cuts : likeliest(cuts, score)) {
        next.modifiers.set(modifier, (next.modifiers.get(modifier) ?? 0) + 1);
        next.heads.set(head, (next.heads.get(head) ?? 0) + 1);
      }
    counts = next;
  }
  return counts;
}

/**
 * @param {Cut[]} cuts
 * @param {(cut: Cut) => number} score
 * @returns {Cut[]} one, or none of none
 */
function likeliest(cuts, score) {
  const [first, ...others] = cuts;
  if (!first) return [];
  return [others.reduce((best, cut) => (score(cut) > score(best) ? cut : best), first)];
}

/**
 * @param {WordLists} lists
 * @returns {Composition} of simple words only: what is a compound itself is made of them
 */
export function compositionOf(lists) {
  const nouns = [...lists.nouns].toSorted();
  const cuts = nouns.map((noun) => cutsOf(noun, lists));
  const counts = counted(cuts);
  const score = scoring(counts);
  const clear = nouns.filter((_, at) => likeliest(cuts[at] ?? [], score).some((cut) => isClear(cut, counts)));
  const verbal = clear.filter((noun) => isOfVerb(noun, lists));
  const compound = new Set(clear.filter((noun) => !isOfVerb(noun, lists)));
  const simple = nouns.filter((noun) => !compound.has(noun) && !NO_HEAD.has(noun));
  const heads = new Map();
  for (const noun of simple) {
    const count = counts.heads.get(noun) ?? 0;
    if (count > 0 || lists.bands.has(noun) || ABSTRACT.test(noun)) heads.set(noun, count);
  }
  const modifiers = new Map(
    [...counts.modifiers].filter(([form, count]) => count > 1 && !isOfCompound(form, compound)),
  );
  return { modifiers, heads, verbal, whole: wholeWords(lists, modifiers, counts.heads) };
}

/**
 * @param {Cut} cut
 * @param {{modifiers: Map<string, number>, heads: Map<string, number>}} counts
 */
function isClear({ modifier, head }, { modifiers, heads }) {
  const first = Math.log1p(modifiers.get(modifier) ?? 0) + WORTH_OF_A_LETTER * (modifier.length - 4);
  const last = Math.log1p(heads.get(head) ?? 0) + WORTH_OF_A_LETTER * (head.length - 4);
  return Math.min(first, last) >= WEAKEST_PART && (first + last) / 2 >= AVERAGE_PART;
}

/** What such a verb does not begin with, though the list has verbs that do. */
const NO_PARTICLE = /^(?:brand|haus|kriegs|luxus|rechts|straf|video|wahl|wechsel|zwangs)/;

/**
 * A noun made of a whole verb is no compound: Feststellung is made of feststellen.
 * @param {string} noun
 * @param {WordLists} lists
 */
const isOfVerb = (noun, { words }) =>
  noun.endsWith('ung') &&
  !NO_PARTICLE.test(noun) &&
  ['en', 'end'].every((ending) => words.has(noun.replace(/ung$/, ending)));

/**
 * @param {string} form
 * @param {Set<string>} compound
 */
const isOfCompound = (form, compound) =>
  compound.has(form) ||
  compound.has(`${form}e`) ||
  LINKS.some((link) => form.endsWith(link) && compound.has(form.slice(0, -link.length)));

/**
 * Verbs and adjectives that could be taken for compounds: feststellen, teilweise.
 * @param {WordLists} lists
 * @param {Map<string, number>} modifiers
 * @param {Map<string, number>} heads
 */
function wholeWords({ nouns, words, bands }, modifiers, heads) {
  const isNoun = (/** @type {string} */ word) =>
    nouns.has(word) || [...LINKS, 'r'].some((link) => word.endsWith(link) && nouns.has(word.slice(0, -link.length)));
  const looksCut = (/** @type {string} */ word) => {
    for (let at = SHORTEST; at <= word.length - SHORTEST; at++)
      if (modifiers.has(word.slice(0, at)) && (heads.has(word.slice(at)) || isInflected(word.slice(at), heads)))
        return true;
    return false;
  };
  return [...words].filter((word) => bands.has(word) && !isNoun(word) && looksCut(word)).toSorted();
}

/**
 * @param {string} form
 * @param {Map<string, number>} heads
 */
const isInflected = (form, heads) =>
  [...LINKS, 'r'].some((link) => form.endsWith(link) && heads.has(withoutUmlaut(form.slice(0, -link.length))));
