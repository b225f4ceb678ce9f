/** A place in a text, in UTF-16 code units, the end not included. */
export interface Span {
  start: number;
  end: number;
}

/** Numbers of the administration that look like those of persons, up to where the number begins. */
const FILE_NUMBER =
  /(?<!\p{L})(?:(?:akten|geschäfts|kassen|buchungs|förder|vorgangs|bearbeitungs|verbands|register|bau)zeichen|az\.?|gz\.?|geschz\.?|kz\.?|(?:rechnungs|bestell|vorgangs|auftrags|kunden|artikel|vergabe|ticket|register|inventar|serien|chargen|beleg|dokument(?:en)?|mitteilungs|bescheid|verfahrens|zähler|flurstücks|objekt|antrags)-?(?:nummer|nr\.?)|haushaltsstellen?|hhst\.?|kapitel|titel|produkt(?:sach)?(?:konto|nummer)?|sachkonto|kostenstelle|kostenträger|drucksache|drs\.?|bt-drs\.?|bgbl\.?|hr[ab]|isbn|issn|ean|gtin|pzn|zvr|cpv(?:-code)?|ags)[\s:.#]*(?:(?:nr|no|nummer)\b)?[\s:.#]*(?:lautet|ist)?[\s:]*$/iu;
const LOOK_BACK = 60;

/** What stands before a place, at most 60 code units. */
export const before = (text: string, start: number): string => text.slice(Math.max(0, start - LOOK_BACK), start);

/** Whether a label such as `Kassenzeichen:` says that the number at this place is one of a file, not of a person. */
export const isFileNumber = (text: string, start: number): boolean => FILE_NUMBER.test(before(text, start));

export function spansOf(text: string, pattern: RegExp, accepts: (match: RegExpExecArray) => boolean): Span[] {
  return Array.from(text.matchAll(pattern))
    .filter(accepts)
    .map(({ index, 0: { length } }) => ({ start: index, end: index + length }));
}
