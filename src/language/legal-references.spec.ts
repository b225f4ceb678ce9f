import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lawTable } from './law-table.js';
import { lawOf, legalReferences, provisionKey, provisionOfHeading } from './legal-references.js';

const laws = join(import.meta.dirname, '../../../shared/data/gesetze');
const keys = (text: string, ownLaw?: string | null): (string | null)[] =>
  legalReferences(text, ownLaw).map(({ key }) => key);

describe('legalReferences', () => {
  it.each([
    ['§ 35 Satz 1 VwVfG', ['vwvfg:35']],
    ['§ 35 S. 1 VwVfG', ['vwvfg:35']],
    ['§ 35 abs 1 s 2 vwvfg', ['vwvfg:35']],
    ['§ 35 I 2 VwVfG', ['vwvfg:35']],
    ['§\u00a035\u00a0VwVfG', ['vwvfg:35']],
    ['§35 VwVfG', ['vwvfg:35']],
    ['§ 35\n    Satz 1\nVwVfG', ['vwvfg:35']],
    ['Paragraf 35 VwVfG', ['vwvfg:35']],
    ['Paragraph 35 des Verwaltungsverfahrensgesetzes', ['vwvfg:35']],
    ['Art. 20 Abs. 3 GG', ['gg:20']],
    ['art 20 abs 3 gg', ['gg:20']],
    ['Artikel 20 Absatz 3 des Grundgesetzes', ['gg:20']],
    ['den Artikeln 12a und 14 des Grundgesetzes', ['gg:12a', 'gg:14']],
    ['§§ 48, 49 VwVfG', ['vwvfg:48', 'vwvfg:49']],
    ['§ 48, 49 VwVfG', ['vwvfg:48', 'vwvfg:49']],
    ['§§ 48 bis 51 VwVfG', ['vwvfg:48', 'vwvfg:49', 'vwvfg:50', 'vwvfg:51']],
    ['§§ 48–50 VwVfG', ['vwvfg:48', 'vwvfg:49', 'vwvfg:50']],
    ['§§ 34a bis 34c GewO', ['gewo:34a', 'gewo:34b', 'gewo:34c']],
    ['§§ 48 ff. VwVfG', ['vwvfg:48']],
    ['§§ 48ff. VwVfG', ['vwvfg:48']],
    ['§§ 48 f. VwVfG', ['vwvfg:48', 'vwvfg:49']],
    ['§ 34f GewO', ['gewo:34f']],
    ['§ 5 a Abs. 1 StVG', ['stvg:5a']],
    ['§ 113 Abs. 1 Satz 4 VwGO i. V. m. § 43 Abs. 2 VwVfG', ['vwgo:113', 'vwvfg:43']],
    ['§ 4 i. V. m. § 5 BDSG', ['bdsg:4', 'bdsg:5']],
    ['§ 4 iVm § 5 BDSG', ['bdsg:4', 'bdsg:5']],
    ['§ 1 Abs. 2 in Verbindung mit Abs. 1 des Rechtsdienstleistungsgesetzes', ['rdg:1']],
    ['§§ 14, 55 Absatz 2 und 3, 57 Nr. 1 GewO', ['gewo:14', 'gewo:55', 'gewo:57']],
    ['§ 28 Abs. 1 Nr. 1, 2. Alt. VwVfG', ['vwvfg:28']],
    ['§ 35a SGB VIII', ['sgb8:35a']],
    ['§ 10 des Zehnten Buches Sozialgesetzbuch', ['sgb10:10']],
    ['§ 10 des Zehnten Buches des Sozialgesetzbuchs', ['sgb10:10']],
    ['§ 5 des De-\n    Mail-Gesetzes', ['demailg:5']],
    ['§ 7 des Bundeselterngeld- und Elternzeitgesetzes', ['beeg:7']],
    ['§ 17 des Gesetzes über Ordnungswidrigkeiten', ['owig:17']],
    ['Artikel 229 § 6 Abs. 1 des Einführungsgesetzes zum Bürgerlichen Gesetzbuche', ['egbgb:229']],
    ['Artikel 6 Absatz 1 Buchstabe b und c der Verordnung (EU) 2016/679', ['dsgvo:6']],
    ['Art. 6 (1) DS-GVO', ['dsgvo:6']],
    ['Artikel 9 der Richtlinie 2003/109/EG', ['rl2003109:9']],
    ['§ 80 VwVfG NRW', ['vwvfgnrw:80']],
    ['§ 80 des Verwaltungsverfahrensgesetzes für das Land Nordrhein-Westfalen', ['vwvfgnrw:80']],
    ['Art. 35 des Bayerischen Verwaltungsverfahrensgesetzes', ['bayvwvfg:35']],
    ['VwVfG § 35', ['vwvfg:35']],
    ['BDSG 2018, §§ 4, 5', ['bdsg:4', 'bdsg:5']],
    ['SGB X § 35', ['sgb10:35']],
    ['GG Art 1', ['gg:1']],
    ['dem Weg § 35', [null]],
    ['§ 9 des Mindestlohngesetzes', ['mindestlohngesetz:9']],
  ])('%s', (text, expected) => {
    expect(keys(`Das folgt aus ${text}, wie es heißt.`)).toEqual(expected);
  });

  it.each([
    ['§ 7', ['vwvfg:7']],
    ['§ 7 dieses Gesetzes', ['vwvfg:7']],
    ['§ 3 Absatz 2 Nummer 1 Buchstabe a', ['vwvfg:3']],
    ['§§ 5, 7 und 8 Absatz 2', ['vwvfg:5', 'vwvfg:7', 'vwvfg:8']],
    ['§ 7, 14 Tage nach Zugang', ['vwvfg:7']],
    ['§ 14 der Antragsteller', ['vwvfg:14']],
    ['§ 35 des Sozialgerichtsgesetzes und § 3', ['sgg:35', 'vwvfg:3']],
    ['§ 5 des Gesetzes vom 9. Dezember 2020', [null]],
    ['§ 5 des Vertrages', [null]],
    ['§ 4 der Hauptsatzung', [null]],
    ['Artikel 6', [null]],
  ])('inside of a law: %s', (text, expected) => {
    expect(keys(text, 'VwVfG')).toEqual(expected);
  });

  it('reads articles of a law of articles', () => {
    expect(keys('Die Artikel 1 und 20 sowie § 5', 'GG')).toEqual(['gg:1', 'gg:20', null]);
    expect(keys('§ 20 des Zehnten Buches', 'SGB 1')).toEqual(['sgb10:20']);
  });

  it.each(['diese Art 20 Personen', 'das Artikel 10-Gesetz', '§ ohne Nummer', 'Artikelnummer 5', 'Absatz 3 Satz 1'])(
    'finds nothing in: %s',
    (text) => {
      expect(legalReferences(text, 'VwVfG')).toEqual([]);
    },
  );

  it('says where and what', () => {
    const text = 'Nach § 35 Satz 1, § 48 Abs. 2 Satz 3 VwVfG gilt das.';
    const [first, second] = legalReferences(text);
    expect(first).toEqual({
      raw: '§ 35 Satz 1',
      start: 5,
      end: 16,
      law: 'VwVfG',
      sign: '§',
      number: '35',
      paragraph: null,
      sentence: '1',
      key: 'vwvfg:35',
    });
    expect(second).toMatchObject({ raw: '§ 48 Abs. 2 Satz 3 VwVfG', paragraph: '2', sentence: '3' });
    expect(text.slice(second?.start, second?.end)).toBe(second?.raw);
  });

  it('names at most 50 provisions of a range, both ends among them', () => {
    const found = keys('§§ 1 bis 9999 BGB');
    expect(found).toHaveLength(50);
    expect([found[0], found.at(-1)]).toEqual(['bgb:1', 'bgb:9999']);
  });

  it.each([
    ['§ 1, ', 1_000_000],
    ['§', 1_000_000],
    [' ', 1_000_000],
    ['§ 1 ', 200_000],
    ['§§ 1 bis 50, ', 200_000],
    ['§ 1 i. V. m. ', 200_000],
    ['§ 5 des Gesetz ', 200_000],
    ['§ 5 des A-', 200_000],
    ['§ \n1\n', 200_000],
  ])(
    'takes linear time: %j for %i characters',
    (part, length) => {
      const started = process.cpuUsage();
      legalReferences(part.repeat(length / part.length), 'VwVfG');
      expect(process.cpuUsage(started).user / 1_000).toBeLessThan(length / 100);
    },
    20_000,
  );

  it('takes linear time for one endless word or gap after a sign', () => {
    const started = process.cpuUsage();
    for (const part of ['A', 'A-A', ' ', '\n', '1', 'Abs. ']) legalReferences(`§ 1 des ${part.repeat(100_000)}`);
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(3_000);
  });
});

describe('provisionKey', () => {
  it.each([
    ['BDSG 2018', '35', 'bdsg:35'],
    ['OWiG 1968', '35', 'owig:35'],
    ['SGB X', '35', 'sgb10:35'],
    ['SGB 10', '35A', 'sgb10:35a'],
    ['BBauG', '35 a', 'baugb:35a'],
    ['Bürgerliches Gesetzbuch', '1', 'bgb:1'],
    ['DS-GVO', '6', 'dsgvo:6'],
  ])('%s %s', (law, number, expected) => {
    expect(provisionKey(law, number)).toBe(expected);
  });

  it('is the same for every known law by abbreviation and by name', () => {
    expect(Object.keys(lawTable).length).toBeGreaterThan(150);
    for (const [law, names] of Object.entries(lawTable))
      for (const name of names) expect(provisionKey(name, '1')).toBe(provisionKey(law, '1'));
  });
});

describe('lawOf', () => {
  it.each([
    [{ frontMatter: { jurabk: 'AufenthG 2004' }, headings: [] }, 'AufenthG'],
    [{ frontMatter: { jurabk: 'SGB 10' }, headings: [] }, 'SGB X'],
    [{ title: 'Verwaltungsverfahrensgesetz (VwVfG)', headings: [] }, 'VwVfG'],
    [{ title: null, headings: ['Gesetz über das Halten von Hunden (HundeG)', '§ 1 Zweck'] }, 'HundeG'],
    [{ title: 'Gewerbeordnung', headings: ['Titel I', '§ 1 Grundsatz'] }, 'GewO'],
    [{ title: 'Zehntes Buch Sozialgesetzbuch - Sozialverwaltungsverfahren -', headings: ['§ 1 Anwendung'] }, 'SGB X'],
    [{ title: 'Gewerbeordnung', headings: ['Einleitung', 'Fazit'] }, null],
    [{ title: 'Merkblatt zum Bundesmeldegesetz (BMG)', headings: [] }, null],
    [{ title: 'Bescheid', headings: ['§ 1 Entscheidung'] }, null],
    [{ headings: [] }, null],
  ])('%j', (input, expected) => {
    expect(lawOf(input)).toBe(expected);
  });
});

describe('provisionOfHeading', () => {
  it.each([
    ['§ 35 Begriff des Verwaltungsaktes', '§', '35'],
    ['§ 8a Grundsätze', '§', '8a'],
    ['§ 20 (weggefallen)', '§', '20'],
    ['Art 20', 'Art.', '20'],
    ['Art. 12a', 'Art.', '12a'],
    ['Artikel 20', 'Art.', '20'],
  ])('%s', (heading, sign, number) => {
    expect(provisionOfHeading(heading)).toEqual({ sign, number });
  });

  it.each(['Teil I', '§§ 5 bis 7 (weggefallen)', 'Art und Maß', 'Zu § 35', '3. Abschnitt'])('%s', (heading) => {
    expect(provisionOfHeading(heading)).toBeNull();
  });
});

(existsSync(laws) ? describe : describe.skip)('real laws', () => {
  const texts = existsSync(laws) ? readdirSync(laws).map((file) => readFileSync(join(laws, file), 'utf8')) : [];

  it('finds a reference at nearly every sign', () => {
    let signs = 0;
    let found = 0;
    for (const text of texts) {
      const law = lawOf({ frontMatter: { jurabk: /^jurabk: (.*)$/m.exec(text)?.[1] ?? '' }, headings: [] });
      const body = text.replace(/^#.*$/gm, '');
      const starts = new Set(legalReferences(body, law).flatMap(({ key, start }) => (key === null ? [] : [start])));
      for (const { index } of body.matchAll(/§{1,2}/g)) {
        signs++;
        if (starts.has(index)) found++;
      }
    }
    expect(signs).toBeGreaterThan(6_000);
    expect(found / signs).toBeGreaterThan(0.98);
  });
});

it('knows a law whose title was broken over two lines by its abbreviation', () => {
  const headings = ['und die Integration von Ausländern im Bundesgebiet (AufenthG 2004)', '§ 1 Zweck des Gesetzes'];
  expect(lawOf({ headings })).toBe('AufenthG');
});
