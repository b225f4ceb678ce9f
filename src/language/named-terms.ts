const MOST_TERMS = 50;
const MOST_CANDIDATES = 2_000;
const LONGEST_TERM = 80;
/** Of one text; what comes later is not looked at. */
const MOST_CHARACTERS = 2_000_000;

const Q = '["„“”»«›‹‚‘’\']';
const WORD = String.raw`\p{Lu}[\p{L}\d-]+`;
const NOUN_PHRASE = String.raw`(?:\p{L}[\p{Ll}-]{3,30}[ \n]){0,2}\p{Lu}[\p{L}-]{3,50}`;
const THIS_TEXT = String.raw`(?:im Sinne|i\. ?S\. ?d\.)\s(?:dieses|dieser|des|der)\s(?:Gesetz|Verordnung|Satzung|Richtlinie|Vertrag|Buch|Vorschrift|Ordnung)[a-zäöü]{0,6}`;

/** `(im Folgenden: Antragsteller)`, `(nachfolgend „die Stadt“ genannt)`. */
const alias = new RegExp(
  String.raw`\((?:im (?:Folgenden|Weiteren)|nachfolgend|nachstehend|künftig|fortan|kurz|abgekürzt)(?: kurz| auch| als| nur)?:?\s{1,4}(${Q}?[^()\n"„“”»«]{2,${String(LONGEST_TERM)}}${Q}?)(?:\s(?:genannt|bezeichnet))?\)`,
  'giu',
);
/** `Behörde im Sinne dieses Gesetzes ist`, at the beginning of a sentence. */
const inThisSense = new RegExp(
  String.raw`(?:^|[.:;)]\s{1,6}|\d\.\s{1,6})(${Q}?${NOUN_PHRASE}${Q}?)\s${THIS_TEXT}\s(?:ist|sind)(?![\p{L}])`,
  'gmu',
);
/** `„Verarbeitung“ bezeichnet`, `1. „Verantwortlicher“ jede Person`. */
const quoted = new RegExp(
  String.raw`(?:^\s{0,12}(?:\d{1,3}[.)]|[a-z]\)|[-*•])\s{1,6}[„"»]([^„“”"»«\n]{3,${String(LONGEST_TERM)}})[“”"«]|[„"»]([^„“”"»«\n]{3,${String(LONGEST_TERM)}})[“”"«]\s(?:bedeutet|bezeichnet|meint|ist jede|ist die|ist der|ist das|sind alle)(?![\p{L}]))`,
  'gmu',
);
/** `Hilfe leisten (Amtshilfe).` */
const inParentheses = new RegExp(String.raw`[\p{Ll}\d,] {0,2}\n? {0,12}\((${NOUN_PHRASE})\)`, 'gu');
const FIELD = String.raw`(?:[a-zäöü]{4,20}e[nrs]?\s{1,8})?${WORD}(?<!-)`;
/** With an adjective that belongs to the name: `Soziale Sicherung`. */
const FIRST_FIELD = String.raw`(?:\p{Lu}\p{Ll}{3,20}e\s{1,8}(?=\p{Lu}))?${FIELD}`;
/** `Bundesministerium des Innern, für Bau und Heimat`. */
const ministry = new RegExp(
  String.raw`(?<![\p{L}-])((?:Bundes|Landes|Staats)?[mM]inisterium)(?:s)?\s{1,8}((?:für|des|der)\s{1,8}${FIRST_FIELD}(?:(?:,\s{1,8}für\s{1,8}|,\s{1,8}(?=\p{Lu})|\s{1,8}und\s{1,8})${FIELD}){0,5})`,
  'gu',
);
/** `Bundesamt für Sicherheit in der Informationstechnik`. */
const office = new RegExp(
  String.raw`(?<![\p{L}-])((?:Bundes|Landes|Staats|Stadt|Kreis)?(?:[aA]mt|[aA]nstalt|[zZ]entrale|[zZ]entralamt|[aA]gentur))(?:e?s)?\s{1,8}(für\s{1,8}${FIRST_FIELD}(?:(?:\s{1,8}und\s{1,8}|\s{1,8}in\s{1,8}der\s{1,8})${FIELD}){0,3})`,
  'gu',
);
const federal =
  /(?<![\p{L}-])((?:Statistische[sn] |Kraftfahrt-|Luftfahrt-|Eisenbahn-)Bundesamt|Bundes(?:kriminalamt|netzagentur|verwaltungsamt|kartellamt|verfassungsgericht|verwaltungsgericht|gerichtshof|sozialgericht|arbeitsgericht|finanzhof|rechnungshof|polizeidirektion|nachrichtendienst|zentralregister|druckerei|eisenbahnvermögen|notarkammer))(?:e?s)?(?![\p{L}-])/gu;
/** A line of its own, as in a letterhead: inside of a sentence the next noun may be anything. */
const municipality = new RegExp(
  String.raw`^[ \t]{0,8}((?:Landeshauptstadt|Hansestadt|Stadt|Gemeinde|Markt|Samtgemeinde|Verbandsgemeinde|Landkreis|Kreis|Landratsamt|Bezirksamt|Regierungspräsidium|Bezirksregierung)\s${WORD}(?:\s(?:am|im|an der|bei|ob der|in|vor der)\s${WORD})?)[ \t]{0,8}$`,
  'gmu',
);

const notTerms = new Set(
  (
    'Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag Januar Februar März April Juni Juli August September ' +
    'Oktober November Dezember Name Vorname Datum Unterschrift Stempel Anlage Anlagen Anhang Absatz Satz Artikel Seite ' +
    'Inkrafttreten Fortsetzung Auszug Entwurf Quelle Stand Fassung'
  ).split(' '),
);

/**
 * Terms that a text defines, and authorities it names: at most 50, as they are written, without genitive endings; what is
 * said to be a definition first. Rather too few than wrong ones. Time is linear, bounded by the first 2,000,000 characters.
 */
export function namedTerms(text: string): string[] {
  const read = text.slice(0, MOST_CHARACTERS);
  const defined = [alias, inThisSense, quoted].flatMap((pattern) => found(read, pattern));
  const authorities = [ministry, office, federal, municipality].flatMap((pattern) => found(read, pattern));
  const usedAgain = usedMoreThanOnce(read);
  const inBrackets = found(read, inParentheses).filter((term) => usedAgain(term) && !/\p{Ll}\p{Lu}/u.test(term));
  const terms = new Map<string, string>();
  for (const term of [...defined, ...authorities, ...inBrackets].map(cleaned))
    if (isTerm(term) && !terms.has(stemsOf(term))) terms.set(stemsOf(term), term);
  return [...terms.values()].slice(0, MOST_TERMS);
}

function found(text: string, pattern: RegExp): string[] {
  const terms: string[] = [];
  for (const [, ...groups] of text.matchAll(pattern)) {
    terms.push(groups.filter((group) => group !== undefined).join(' '));
    if (terms.length === MOST_CANDIDATES) break;
  }
  return terms;
}

function cleaned(term: string): string {
  return term
    .replace(/\s+/g, ' ')
    .replace(/- (?!und |oder )(?=\p{Ll})/gu, '-')
    .replace(/^["„“”»«›‹‚‘’' ]+|["„“”»«›‹‚‘’' ,;:]+$/g, '')
    .replace(/^(?:der|die|das|dem|den|ein|eine) /i, '')
    .replace(/^Statistischen /, 'Statistisches ');
}

function isTerm(term: string): boolean {
  return term.length >= 3 && term.length <= LONGEST_TERM && /\p{Ll}|^\p{Lu}{3,10}$/u.test(term) && !notTerms.has(term);
}

/** Whether the last word of a term stands in the text once more, in any case of declension: what is defined is used. */
function usedMoreThanOnce(text: string): (term: string) => boolean {
  const counts = new Map<string, number>();
  for (const [word] of text.matchAll(/\p{Lu}[\p{L}-]{3,50}/gu))
    counts.set(stem(word), (counts.get(stem(word)) ?? 0) + 1);
  return (term) => (counts.get(stem(term.split(/\s/).at(-1) ?? '')) ?? 0) > 1;
}

function stemsOf(term: string): string {
  return term.split(' ').map(stem).join(' ');
}

function stem(word: string): string {
  return word.toLowerCase().replace(/(?:en|es|er|e|n|s)$/, '');
}
