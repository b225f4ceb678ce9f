import { canonicalLaw, knownAbbreviation, knownName, nameWord, socialCodeBook } from './law-names.js';
import { europeanActs, landPrefixes, landSuffixes } from './law-table.js';
import { END, GAP, SPACE, sticky, takeAt } from './text-cursor.js';

/** The law that a citation names after its provision. */
export interface LawMention {
  /** Null: another law that cannot be told, such as `des Gesetzes vom 9. Dezember 2020`. */
  law: string | null;
  /** `this`: the text's own law; `ambiguous`: named, but there are many of that name, such as `Landesbauordnung`. */
  kind: 'named' | 'this' | 'ambiguous';
  end: number;
}

const MOST_WORDS = 18;
const BOOK = String.raw`(erst|zweit|dritt|viert|fünft|sechst|siebt|acht|neunt|zehnt|elft|zwölft|dreizehnt|vierzehnt)e[sn]`;

const article = sticky(`${GAP}(?:des|der|dem|im)${SPACE}`, 'iuy');
const gap = sticky(GAP);
const thisLaw = sticky(
  `(?:dies|vorliegend)e[srmn]${SPACE}(?:Bundes|Landes)?(?:Gesetz|Verordnung|Ordnung|Satzung|Buch)[a-z]{0,8}${END}`,
  'iuy',
);
const europeanAct = sticky(
  `(?:(?:Delegierten?|Durchführungs)${GAP})?(Verordnung|Richtlinie|Durchführungsverordnung|Durchführungsrichtlinie|` +
    `(?:Rahmen)?Beschluss(?:es)?|VO|RL)${SPACE}(?:\\((?:EU|EG|EWG|Euratom)[^)\\n]{0,12}\\)${GAP})?(?:Nr\\.?${GAP})?` +
    `(\\d{1,4}/\\d{1,4})(?:/(?:EU|EG|EWG|JI))?${END}`,
  'iuy',
);
const socialCode = sticky(`SGB[ \\u00a0-]{0,2}([IVX]{1,4}|\\d{1,2})${END}`);
const socialCodeName = sticky(
  `Sozialgesetzbuch(?:e?s)?${GAP}(?:[–(-]${GAP})?(?:Buch${SPACE})?([IVX]{1,4}|${BOOK}(?=${SPACE}Buch))${END}(?:${SPACE}Buch(?:e?s)?${END})?\\)?`,
  'iuy',
);
const socialCodeBookName = sticky(
  `${BOOK}${SPACE}Buch(?:e?s)?(${SPACE}(?:des${SPACE})?Sozialgesetzbuch(?:e?s)?)?${END}`,
  'iuy',
);
const abbreviation = sticky(
  `((?:\\d{1,2}\\.[^\\S\\n]?(?=BImSchV))?\\p{L}{2,14}\\d{0,2}(?:[-/]\\p{Lu}\\p{L}{0,10}){0,2})${END}` +
    `(?:[ \\u00a0]((?:1[89]|20)\\d\\d)${END})?`,
);
const landSuffix = sticky(
  `[ \\u00a0-](NRW|NW|BW|Bln|Bbg|LSA|M-V|MV|SH|RhPf|RP|Nds|Hess|HE|Bay|Saar|SL|Thür|SächsG|HH|HB)${END}`,
);
const land = sticky(
  `${SPACE}(?:(?:für|des)${SPACE})?(?:(?:das|den|die)${SPACE})?(?:Land(?:es)?|Freistaat(?:e?s)?|Freie(?:n)?)${SPACE}` +
    `(?:und${SPACE}Hansestadt${SPACE})?(\\p{Lu}\\p{L}+(?:-\\p{Lu}\\p{L}+)?)`,
);
const landAdjective = sticky(`(\\p{Lu}\\p{Ll}{4,16}isch|Thüringer)(?:en)?${SPACE}(?=\\p{Lu})`);
const hyphenated = sticky(`\\p{Lu}[\\p{L}-]{1,40}-(?:,|${SPACE}(?:und|oder))${SPACE}-?`);
const adjective = sticky(`\\p{Lu}\\p{L}{2,30}(?:en|er)${SPACE}(?=\\p{Lu})`);

const notLaws = new Set(
  (
    'BVerfG BVerwG BGH BFH BSG BAG OVG VG VGH OLG LG AG SG FG ArbG LAG LSG EuGH EuG EGMR KG EG EU EWG UG ÖPNV DGB HIV ' +
    'BGBl ABl BAnz GVBl NRW DDR BRD PKV GKV'
  ).split(' '),
);
/** Abbreviations that are common words in lower case. */
const onlyCapital = new Set(['weg', 'sg', 'bg', 'eeg', 'oeg', 'rog', 'am', 'irg']);
const lawWord = /(?:gesetz(?:es|e)?|gesetzbuch(?:e?s|e)?|ordnung|satzung|kodex)$/i;
const unknownLaw =
  /^(?:(?:\p{L}*-?)(?:gesetz(?:es)?|verordnung|richtlinien?|satzung|verfassung|vereinbarung|vertrag(?:e?s)?|abkommens?|übereinkommens?|protokolls?|beschlusse?s?|bekanntmachung|konvention|kodex|statuts?|rahmenbeschlusses))$/iu;
const ambiguousLaw =
  /satzung$|^(?:landes|polizei|kommunal)|^(?:gemeinde|kreis|landkreis|bau|geschäfts|haus|friedhofs|benutzungs|prüfungs|studien|promotions)-?ordnung$/iu;

/** The law named at the place right after a provision; null where none is. */
export function lawMentionAt(text: string, at: number, ownLaw: string | null): LawMention | null {
  const withArticle = takeAt(article, text, at);
  const start = withArticle ? at + withArticle[0].length : at + (takeAt(gap, text, at)?.[0].length ?? 0);
  if (!/[\p{L}\d]/u.test(text.charAt(start))) return null;
  return (
    ofThisLaw(text, start) ??
    ofEuropeanAct(text, start) ??
    ofSocialCode(text, start, ownLaw) ??
    ofAbbreviation(text, start) ??
    ofKnownName(text, start) ??
    (withArticle ? ofUnknownName(text, start) : null) ??
    ofGazette(text, start)
  );
}

const before =
  /(?<![\p{L}\d])(SGB[ \u00a0-][IVX\d]{1,4}|[\p{L}\d-]{2,14})(?:[ \u00a0](?:1[89]|20)\d\d)?,?[ \u00a0]{1,2}$/u;

/** A law that is named right before the sign, as in `VwVfG § 35`; only one whose abbreviation is known. */
export function lawMentionBefore(text: string, at: number): LawMention | null {
  const token = before.exec(text.slice(Math.max(0, at - 32), at))?.[1];
  if (token === undefined) return null;
  const book = /^SGB[ \u00a0-](.+)$/.exec(token)?.[1];
  const known = book === undefined ? knownAbbreviation(token) : socialCodeBook(book);
  return known !== null && (book !== undefined || writtenAsLaw(token)) ? { law: known, kind: 'named', end: at } : null;
}

function ofThisLaw(text: string, at: number): LawMention | null {
  const match = takeAt(thisLaw, text, at);
  return match && { law: null, kind: 'this', end: at + match[0].length };
}

function ofEuropeanAct(text: string, at: number): LawMention | null {
  const match = takeAt(europeanAct, text, at);
  if (!match) return null;
  const [all, form = '', number = ''] = match;
  const directive = /richtlinie|^rl/i.test(form);
  const law = europeanActs[number] ?? `${directive ? 'RL' : /beschluss/i.test(form) ? 'Beschluss' : 'VO'} ${number}`;
  return { law, kind: 'named', end: at + all.length };
}

function ofSocialCode(text: string, at: number, ownLaw: string | null): LawMention | null {
  const match = takeAt(socialCode, text, at) ?? takeAt(socialCodeName, text, at) ?? bookAt(text, at, ownLaw);
  if (!match) return null;
  const law = socialCodeBook((match[1] ?? '').replace(/e[sn]$/i, ''));
  return law === null ? null : { law, kind: 'named', end: at + match[0].length };
}

/** `des Zehnten Buches` alone is a book of the social code only inside of it. */
function bookAt(text: string, at: number, ownLaw: string | null): RegExpExecArray | null {
  const match = takeAt(socialCodeBookName, text, at);
  return match?.[2] !== undefined || ownLaw?.startsWith('SGB') ? match : null;
}

function ofAbbreviation(text: string, at: number): LawMention | null {
  const match = takeAt(abbreviation, text, at);
  const token = match?.[1];
  if (match === null || token === undefined) return null;
  const known = knownAbbreviation(token);
  if (known === null ? !looksLikeLaw(token) : !writtenAsLaw(token)) return null;
  const end = at + match[0].length;
  const suffix = takeAt(landSuffix, text, end);
  const law = known ?? token;
  if (suffix)
    return {
      law: `${law} ${suffix[1] === 'NW' ? 'NRW' : (suffix[1] ?? '')}`,
      kind: 'named',
      end: end + suffix[0].length,
    };
  return { law, kind: 'named', end };
}

/** `VwVfG`, `vwvfg` and `VWVFG`, but not a common word at the beginning of a sentence. */
function writtenAsLaw(token: string): boolean {
  return /\p{Lu}.*\p{Lu}/u.test(token) || (token === token.toLowerCase() && !onlyCapital.has(token));
}

/** An unknown abbreviation: capitals inside, and the last one stands for Gesetz, Ordnung, Verordnung or Gesetzbuch. */
function looksLikeLaw(token: string): boolean {
  if (notLaws.has(token) || token.length < 3) return false;
  return /^(?:\d|\p{Lu}).*(?:[GO]|GB|VO)$/u.test(token) || /^(?:\d|\p{Lu}).*\p{Ll}.*V$/u.test(token);
}

function ofKnownName(text: string, at: number): LawMention | null {
  const adjectiveOfLand = takeAt(landAdjective, text, at);
  const words = wordsAt(text, at + (adjectiveOfLand?.[0].length ?? 0));
  const named = knownName(words.map(({ word }) => word));
  const last = named && words[named.words - 1];
  if (!last) return null;
  const prefix = adjectiveOfLand && landPrefixes[adjectiveOfLand[1] ?? ''];
  if (prefix !== null && prefix !== undefined) return { law: prefix + named.law, kind: 'named', end: last.end };
  const ofLand = takeAt(land, text, last.end);
  const suffix = ofLand && landSuffixes[ofLand[1] ?? ''];
  if (ofLand && suffix !== undefined && suffix !== null)
    return { law: `${named.law} ${suffix}`, kind: 'named', end: last.end + ofLand[0].length };
  return { law: named.law, kind: ofLand ? 'ambiguous' : 'named', end: last.end };
}

function wordsAt(text: string, at: number): { word: string; end: number }[] {
  const words: { word: string; end: number }[] = [];
  const between = sticky(`[,-]?${GAP}-?`);
  for (let place = at; words.length < MOST_WORDS;) {
    const match = takeAt(nameWord, text, place);
    if (!match) break;
    const end = place + match[0].length;
    words.push({ word: match[0], end });
    const dash = text[end] === '-' ? 1 : 0;
    place = end + dash + (takeAt(between, text, end + dash)?.[0].length ?? 0);
    if (place === end) break;
  }
  return words;
}

/** A name that the table does not have: one word, or one with an adjective or a hyphenated part before it. */
function ofUnknownName(text: string, at: number): LawMention | null {
  let place = at;
  for (let parts = 0; parts < 3; parts++) {
    const part = takeAt(hyphenated, text, place) ?? takeAt(adjective, text, place);
    if (!part) break;
    place += part[0].length;
  }
  const word = takeAt(nameWord, text, place)?.[0];
  if (word === undefined || (place === at && !/^\p{Lu}/u.test(word))) return null;
  const end = place + word.length;
  const plain = word.replace(/\s+/g, '');
  if (
    lawWord.test(plain) &&
    !/^(?:einführungs|ausführungs|änderungs)?(?:gesetz(?:es)?|verordnung|ordnung)$/i.test(plain)
  )
    return { law: nominative(text.slice(at, end)), kind: ambiguousLaw.test(plain) ? 'ambiguous' : 'named', end };
  return unknownLaw.test(plain) ? { law: null, kind: 'ambiguous', end } : null;
}

function nominative(name: string): string {
  const joined = name.replace(/-\s+(?=\p{Lu})/gu, '-').replace(/\s+/g, ' ');
  const neuter = joined.replace(/(gesetz|buch)(?:es|s|e)$/i, '$1');
  return canonicalLaw(/(?:gesetz|buch)$/i.test(neuter) ? neuter.replace(/^(\p{Lu}\p{L}+)en /u, '$1es ') : neuter);
}

/** `Art. 15 G v. 4.5.2021`: the law by which another was changed. */
function ofGazette(text: string, at: number): LawMention | null {
  const match = takeAt(/(?:G|V|VO|Bek|Gesetz|Verordnung)\.?[^\S\n]{1,4}v(?:om|\.)/uy, text, at);
  return match && { law: null, kind: 'ambiguous', end: at + match[0].length };
}
