/** Words, numbers and hyphenated words of a text as they stand in it. */

const INVISIBLE = /[\u00ad\u200b-\u200d\u2060\ufeff]/g;
const HYPHENS = /[\u2010\u2011]/g;
/** A word broken at the end of a line: small letters go on. Not the `Bau-` of `Bau- und Wohnungswesen`. */
const BROKEN =
  /(\p{Ll})-[^\S\n]*\r?\n[^\S\n]*(?!(?:und|oder|sowie|bzw|beziehungsweise|als|noch|bis|statt)\b)(?=\p{Ll})/gu;
/** Bürger:innen, Bürger*innen, Bürger_innen, Bürger/-innen, BürgerInnen: the word before is what is meant. */
const GENDERED = /(?<=\p{Ll}{2})(?:[:*_]|\/-?)in(?:nen)?(?!\p{L})|(?<=\p{Ll}{2})In(?:nen)?(?!\p{L})/gu;
/** Thousands with points, words with digits (35a), words joined by hyphens. */
const TOKEN = /\p{Nd}{1,3}(?:\.\p{Nd}{3}){1,9}(?![\p{L}\p{N}])|[\p{L}\p{N}\p{M}]+(?:-[\p{L}\p{N}\p{M}]+)*/gu;

/**
 * @param text any text; composed to NFC, soft hyphens and hyphenation at line ends undone
 * @returns tokens in order, such as `Kfz-Steuer`, `35a`, `1.000`
 */
export function tokensOf(text: string): string[] {
  const clean = text
    .normalize('NFC')
    .replace(INVISIBLE, '')
    .replace(HYPHENS, '-')
    .replace(BROKEN, '$1')
    .replace(GENDERED, '');
  return clean.match(TOKEN) ?? [];
}
