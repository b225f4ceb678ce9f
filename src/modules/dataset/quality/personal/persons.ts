import { before, spansOf, type Span } from './span.js';

const MONTH =
  '(?:jan(?:uar|uary)?|feb(?:ruar|ruary)?|märz|march|mar|apr(?:il)?|mai|may|jun[ie]?|jul[iy]?|aug(?:ust)?|sep(?:t(?:ember)?)?|okt(?:ober)?|oct(?:ober)?|nov(?:ember)?|dez(?:ember)?|dec(?:ember)?)\\.?';
const DATE = `(?:\\d{1,2}\\.\\s?\\d{1,2}\\.\\s?(?:\\d{4}|\\d{2})|(?:19|20)\\d{2}-\\d{2}-\\d{2}|\\d{1,2}/\\d{1,2}/\\d{4}|\\d{1,2}\\.?\\s${MONTH}\\s\\d{4}|${MONTH}\\s\\d{1,2},?\\s\\d{4})`;
const BIRTH = new RegExp(
  `(?<!\\p{L})(?:geboren(?:e[rns]?)?|geb\\.|geburtsdatum|geburtstag|geb\\.?-?datum|born|date of birth|dob|birthday)(?:[\\s:,–-]|am|on|ist|lautet|der|den|is|the|in\\s\\p{Lu}\\p{L}{2,30}\\s){0,6}(?<date>${DATE})(?!\\d)`,
  'giu',
);
/** `* 12.03.1980` as behind names. */
const STAR = new RegExp(`(?<=\\p{L}[\\s,(]{1,3})\\*\\s?(?<date>${DATE})(?!\\d)`, 'giu');

export const birthDates = (text: string): Span[] =>
  [BIRTH, STAR].flatMap((pattern) =>
    Array.from(text.matchAll(pattern)).map(({ index, 0: whole, groups }) => {
      const end = index + whole.length;
      return { start: end - (groups?.['date'] ?? '').length, end };
    }),
  );

const TITLE =
  '(?:(?:Dr|Prof|Dipl|Mag|Ing|PD|med|jur|rer|nat|phil|h|c|e|M|B|Sc|A)\\.(?:-|\\s)?|Dr\\s|Prof\\s|Professor(?:in)?\\s|Doktor\\s|(?:Dr|Dipl)\\.?-(?:Ing|Kfm)\\.?\\s){0,6}';
const PARTICLE = '(?:(?:von|van|vom|zu|zum|zur|de|del|della|di|da|dos|der|den|la|le|ten|el|al|bin|und)\\s){0,3}';
const NAME = `${PARTICLE}\\p{Lu}[\\p{L}'’]{1,30}(?:-\\p{Lu}[\\p{L}'’]{1,30}){0,2}`;
const SALUTATION = new RegExp(
  `(?<!\\p{L})(?:Sehr\\s(?:geehrte|verehrte)[rs]?|Geehrte[rs]?|Liebe[rs]?|Werte[rs]?|Verehrte[rs]?|Hallo|Guten\\s(?:Tag|Morgen|Abend)|Moin|Grüß\\sGott)\\s(?:Frau|Herrn?|Hr\\.|Fr\\.|Familie)\\s${TITLE}(?<name>${NAME}(?:\\s${NAME}){0,2})`,
  'gu',
);
const DEAR = new RegExp(
  `(?<!\\p{L})(?:Dear|Hello|Hi)\\s(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor)\\.?\\s${TITLE}(?<name>${NAME}(?:\\s${NAME}){0,2})`,
  'gu',
);
/** Offices by which somebody is addressed without a name, and the names of examples. */
const NO_NAME =
  /^(?:(?:Ober|Bundes|Landes|Staats|Kreis|Vize|Minister|Gerichts|Polizei|Regierungs|Alt|Orts|Stadt|Rechts|Amts|Verwaltungs|General|Senats|Ersten?|Erste[rn]?)*-?(?:[Bb]ürgermeister|[Pp]räsident|[Mm]inister|[Kk]anzler|[Ll]andr[aä]t|[Rr]ichter|[Aa]nwalt|[Aa]nwält|[Dd]irektor|[Ss]ekretär|[Vv]orsitzende|[Aa]bgeordnete|[Kk]olleg|[Nn]achbar|[Dd]ekan|[Rr]ektor|[Ss]enator|[Rr]at|[Rr]ät|[Bb]eauftragte|[Aa]ntragsteller|[Kk]läger|[Bb]eklagte|[Kk]und|[Nn]otar|[Aa]mtsleiter|[Ll]eiter|[Pp]rofessor|[Dd]oktor|[Bb]otschafter|[Pp]farrer)(?:e|in|innen|en|er|r|n|s|es)?|Muster(?:mann|frau)|Name|Nachname|Vorname|Xx+|Xy|XY|President|Chairman|Minister|Judge|Secretary|Chair|Sir|Madam|Doe)$/u;

export const salutedNames = (text: string): Span[] =>
  [SALUTATION, DEAR].flatMap((pattern) =>
    Array.from(text.matchAll(pattern)).flatMap(({ index, 0: whole, groups }) => {
      const words = (groups?.['name'] ?? '').split(/\s+/);
      const first = words.findIndex((word) => !NO_NAME.test(word));
      const last = words.at(-1) ?? '';
      if (first === -1 || NO_NAME.test(last)) return [];
      const end = index + whole.length;
      return [{ start: end - words.slice(first).join(' ').length, end }];
    }),
  );

const CITY = '\\p{Lu}[\\p{L}.]{1,30}(?:[ -](?:am|an|der|im|in|ob|bei|vor|a\\.|d\\.|\\p{Lu}[\\p{L}.]{1,30})){0,4}';
const NUMBER =
  '\\d{1,3}(?:\\s?[a-h](?!\\p{L}))?(?:\\s?[-–/]\\s?\\d{1,3}(?:\\s?[a-h](?!\\p{L}))?)?(?![\\d.]*\\d|\\p{L})';
const OPENING =
  '(?<!\\p{L})(?:(?:Am|An der|An den|Auf dem|Auf der|Im|In der|Zum|Zur|Unter den|Alte[rn]?|Neue[rn]?|Große|Kleine|Obere|Untere|St\\.|Sankt)\\s)?';
const STREET_NAME = `(?:\\p{Lu}[\\p{L}.]{0,30}(?:-\\p{Lu}[\\p{L}.]{0,30}){0,4}[- ])?\\p{Lu}?\\p{L}{0,40}`;
const STREET = `${OPENING}${STREET_NAME}(?:[Ss]traße|[Ss]trasse|[Ss]tr\\.)\\s${NUMBER}`;
const WAY = `${OPENING}${STREET_NAME}(?:[Ww]eg|[Aa]llee|[Pp]latz|[Gg]asse|[Rr]ing|[Dd]amm|[Uu]fer|[Cc]haussee|[Mm]arkt|[Ss]teig|[Hh]of|[Bb]erg|[Pp]fad|[Ww]all|[Gg]raben|[Ff]eld|[Gg]arten|[Ww]inkel|[Ll]inden)\\s${NUMBER}`;
const TOWN = `(?:\\s?,\\s?|\\s?\\n\\s?|\\s)(?:D-)?\\d{5}\\s${CITY}`;
const ADDRESS = new RegExp(`(?:${STREET}(?:${TOWN})?|${WAY}${TOWN})`, 'gu');
const LIVING = new RegExp(
  `(?<=(?:wohnhaft|wohnt|wohnend|wohne|Anschrift|Adresse|Wohnanschrift|Wohnort|gemeldet)(?:[\\s:,]|in|der|dem|im|unter|ist|lautet|derzeit|zurzeit){0,6})${WAY}`,
  'gu',
);
/** Roads named by number or by kind: `Bundesstraße 27`. */
const ROAD =
  /(?:Bundes|Landes|Kreis|Staats|Fern|Gemeinde|Stadt|Haupt-?verkehrs|Europa|Orts|Verbindungs|Umgehungs|Erschließungs|Anlieger|Wohn|Privat|Wasser|Bundeswasser|Zufahrts?|Planstraße|Plan)stra(?:ß|ss)e\s|^(?:Die|Der|Das|Diese|Jede|Keine)?\s?Stra(?:ß|ss)e\s\d|Bundesfernstraße/u;

export const streetAddresses = (text: string): Span[] =>
  [ADDRESS, LIVING].flatMap((pattern) =>
    spansOf(text, pattern, ({ 0: found, index }) => !ROAD.test(found) && !/§\s?\d*\s?$/u.test(before(text, index))),
  );
