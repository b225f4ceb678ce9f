/** Letters of German by which words differ and are still the same: case, ß, spelled-out umlauts. */

const SHARP_S = /ß/g;
const UMLAUT = /[äöü]/;
/**
 * `ae`, `oe`, `ue` that may stand for an umlaut: not after a vowel or q (Bauer, Quelle, neue), not before one (Koeinheit),
 * but for `aeu` (Gebaeude).
 */
const SPELLED_OUT = /(?<![aeiouäöüyq])([aou])e(?:(?![aeiouäöü])|(?<=ae)(?=u))/g;
const umlauts: Readonly<Record<string, string>> = { a: 'ä', o: 'ö', u: 'ü' };

/** Lower case with ss for ß, composed (NFC). */
export const lowered = (word: string): string => word.toLowerCase().normalize('NFC').replace(SHARP_S, 'ss');

/**
 * The word with real umlauts where it spells them out (Behoerde: behörde). Who has umlauts at hand writes them: a word with
 * one stays as it is. Words such as `aktuell` change too, in documents and in questions alike.
 * @param word lowered
 */
export const withUmlauts = (word: string): string =>
  UMLAUT.test(word) ? word : word.replace(SPELLED_OUT, (_, vowel: string) => umlauts[vowel] ?? vowel);
