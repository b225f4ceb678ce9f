import { createRequire } from 'node:module';
import { isGermanWord } from './compound-splitter.js';
import { lowered } from './german-spelling.js';
import { isStopWord } from './stop-words.js';
import { tokensOf } from './tokens.js';

type Detector = typeof import('tinyld');

const required = createRequire(import.meta.url);
let detector: Detector | undefined;

/** Its tables take 50 MB: they are read with the first text that our own words do not settle. */
function detectAll(...given: Parameters<Detector['detectAll']>): ReturnType<Detector['detectAll']> {
  detector ??= required('tinyld') as Detector;
  return detector.detectAll(...given);
}

/** Characters looked at: from the beginning, the middle and the end of a long text. */
const SAMPLE = 1_000;
const WORDS = 300;
/** Share of words known as German from which a text is German, whatever its letters look like. */
const GERMAN_SHARE = 0.4;
/** Share that is enough where the detector sees no language. */
const SOME_GERMAN = 0.25;
const ENGLISH_SHARE = 0.25;
/** Fewer Latin letters than that are a name or an abbreviation. */
const LEAST_LETTERS = 15;
/** Least accuracy of the detector for a text of fewer words than WORDS_OF_A_SENTENCE; such a fragment gets low ones. */
const LEAST_ACCURACY = 0.1;
const WORDS_OF_A_SENTENCE = 8;
/** Those that files of an administration come in; the detector knows rarer ones too and takes abbreviations for them. */
const LANGUAGES =
  `ar bg cs da de el en es et fa fi fr he hi hr hu it ja ko lt lv nl no pl pt ro ru sk sl sr sv tr uk vi zh`.split(' ');
/** Stop words that other languages have too. */
const SHARED = new Set(
  `also am an da das dem den der des die du er es hat her hier im in is ja je kan man me mir nu ob over so sie um uns war was weg
  will wir`.split(/\s+/),
);
/** Abbreviations of German law; the detector takes them for any language. */
const ABBREVIATIONS = new Set(
  'abs nr gem vgl bzw ggf ivm bgb bgbl gg hgb stgb stpo vwgo vwvfg sgb zpo gmbh'.split(' '),
);

const ENGLISH = new Set(
  'and are be been by for from has have is it may must not of on or shall that the this to which with'.split(' '),
);
/** Endings and prefixes of German adjectives, nouns and participles. */
const GERMAN_FORM =
  /(?:lich|isch|ig|bar|sam|los|haft)e[nmrs]?$|ung(?:en)?$|[hk]eit(?:en)?$|end(?:e[nmrs]?)?$|^(?:ge|be|ver|er|ent|zer|ab|an|auf|aus|durch|ein|fest|mit|nach|über|unter|vor|weg|zu)\p{L}{3,}(?:t|te[nmrs]?|en)$/u;

/**
 * Language of a text, ISO 639-1, or `und` where its words do not say (numbers, a name, a few letters). German and English are
 * known by their own words first, so that a heading or a single compound of a law is enough; else the detector `tinyld` decides.
 */
export function languageOf(text: string): string {
  const sample = sampleOf(text);
  const words = tokensOf(sample)
    .flatMap((token) => token.split('-'))
    .filter((word) => /^\p{L}{2,}$/u.test(word))
    .slice(0, WORDS)
    .map(lowered);
  // In a heading of one or two words `Not` is German.
  const isEnglish = words.length > 2 && shareOf(words, (word) => ENGLISH.has(word)) >= ENGLISH_SHARE;
  if (isEnglish) return 'en';
  const german = shareOf(words, isGerman);
  if (german >= GERMAN_SHARE) return 'de';
  const language = detected(sample, words.length);
  return language === 'und' && german >= SOME_GERMAN ? 'de' : language;
}

const shareOf = (words: readonly string[], is: (word: string) => boolean) =>
  words.length === 0 ? 0 : words.filter(is).length / words.length;

const isGerman = (word: string) => {
  if (isStopWord(word)) return !SHARED.has(word);
  return ABBREVIATIONS.has(word) || (word.length > 6 && GERMAN_FORM.test(word)) || isGermanWord(word);
};

function sampleOf(text: string): string {
  if (text.length <= 3 * SAMPLE) return text;
  const middle = Math.floor((text.length - SAMPLE) / 2);
  return [text.slice(0, SAMPLE), text.slice(middle, middle + SAMPLE), text.slice(-SAMPLE)].join('\n');
}

function detected(sample: string, words: number): string {
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  const latin = sample.match(/\p{Script=Latin}/gu)?.length ?? 0;
  if (letters < 2 || (latin > letters / 2 && letters < LEAST_LETTERS)) return 'und';
  const [best] = detectAll(sample, { only: LANGUAGES });
  return best && (words >= WORDS_OF_A_SENTENCE || best.accuracy >= LEAST_ACCURACY) ? best.lang : 'und';
}
