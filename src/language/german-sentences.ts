/** How far a word is looked back for; longer ones are no abbreviation. */
const LONGEST_ABBREVIATION = 16;

const abbreviations = new Set(
  (
    'abs abschn allg alt amtl anl anm art aufl az bd begr bek bes betr bspw bsp buchst bzgl bzw ca dr dipl ebd einschl ' +
    'etc evtl exkl ff fn gem gez ggf ggü hl hrsg hs halbs inkl insb ing jh kap lfd lit mind mio mrd nachf nr nrn ' +
    'obj og prof rdnr rn rspr sog st std str stellv tel tz ua unterabs urt usf usw var verf vgl vol vors vs ziff zzgl zzt ' +
    'jan feb febr mrz apr jun jul aug sept okt nov dez bgbl abl rd'
  ).split(' '),
);

const months = /^(?:Januar|Jänner|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember)/;
const numberedThing =
  /(?:Absatz(?:es)?|Absätzen?|Satz(?:es)?|Sätzen?|Nummern?|Artikeln?|Artikels|Abs\.|Nr\.|Art\.|§)\s{1,4}$/;

/**
 * The sentences of a German text; joined they are the text again (white space stays at the end of each). No sentence ends
 * after an abbreviation (`Abs.`, `i. V. m.`), an ordinal (`1. Januar`) or before a small letter; time is linear.
 */
export function sentencesOf(text: string): string[] {
  const sentences: string[] = [];
  let start = 0;
  for (const { index, 0: mark } of text.matchAll(/[.!?…:;]["“”»«’')\]]{0,3}\s+|\n\s*\n\s*/g)) {
    const next = index + mark.length;
    if (!endsSentence(text, { start, index, mark, next })) continue;
    sentences.push(text.slice(start, next));
    start = next;
  }
  if (start < text.length) sentences.push(text.slice(start));
  return sentences;
}

function endsSentence(text: string, at: { start: number; index: number; mark: string; next: number }): boolean {
  const { start, index, mark, next } = at;
  if (/^\s/.test(mark)) return true;
  if (mark.startsWith(':') || mark.startsWith(';')) return mark.includes('\n');
  const following = text.slice(next, next + 12);
  if (/^\p{Ll}/u.test(following)) return false;
  if (!mark.startsWith('.')) return true;
  const before = text.slice(Math.max(start, index - LONGEST_ABBREVIATION), index);
  const word = /[\p{L}\d]*$/u.exec(before)?.[0] ?? '';
  if (/^\d+$/.test(word))
    return endsAfterNumber(text.slice(Math.max(start, index - 30), index - word.length), word, following);
  if (/^(?:\p{L}|[IVX]{2,5})$/u.test(word)) return false;
  return !abbreviations.has(word.toLowerCase());
}

/** `1.` is an ordinal, but `nach Absatz 1.` and `im Jahr 2016.` end a sentence. */
function endsAfterNumber(before: string, digits: string, following: string): boolean {
  if (months.test(following)) return false;
  return digits.length > 2 || numberedThing.test(before);
}
