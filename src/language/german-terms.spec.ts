import { termsOf } from './german-terms.js';
import { stemOf } from './german-stem.js';

const terms = (text: string) => termsOf(text).map(({ term }) => term);
const wordsOf = (text: string) =>
  termsOf(text)
    .filter(({ kind }) => kind === 'word')
    .map(({ term }) => term);
const find = (query: string, text: string) => {
  const there = new Set(terms(text));
  return wordsOf(query).every((term) => there.has(term));
};

describe('terms of a text', () => {
  it('come in order, one for each occurrence, parts after their word', () => {
    expect(termsOf('Baugenehmigung, Bau!')).toEqual([
      { term: stemOf('Baugenehmigung'), weight: 1, kind: 'word', word: 'Baugenehmigung' },
      { term: 'bau', weight: 0.5, kind: 'part', word: 'Baugenehmigung' },
      { term: stemOf('Genehmigung'), weight: 0.5, kind: 'part', word: 'Baugenehmigung' },
      { term: 'bau', weight: 1, kind: 'word', word: 'Bau' },
    ]);
  });

  it('are the same every time', () => {
    const text = 'Die Bauaufsichtsbehörde erteilt Baugenehmigungen nach § 35a BauGB.';
    const first = structuredClone(termsOf(text));
    expect(termsOf(text)).toEqual(first);
  });

  it.each([
    ['Genehmigung', 'Baugenehmigungsverfahren'],
    ['Baugenehmigung', 'das Baugenehmigungsverfahren'],
    ['Genehmigungsverfahren', 'Baugenehmigungsverfahrens'],
    ['Haus', 'die Häuser'],
    ['Häuser', 'ein Haus'],
    ['Haus', 'in Krankenhäusern'],
    ['Behoerde', 'die Behörden'],
    ['Behörde', 'AUSLAENDERBEHOERDE'],
    ['Strasse', 'Straßenverkehr'],
    ['straße', 'STRASSEN'],
    ['Bußgeld', 'Bussgeldbescheid'],
    ['Antrag', 'des Antrags, des Antrages, die Anträge'],
    ['Verfahren', 'des Verwaltungsverfahrens'],
    ['Gebühr', 'Gebuehrenordnung'],
    ['Gebühr', 'gebührenpflichtig'],
    ['Bürger', 'den Bürgern'],
    ['Bürger', 'Bürger:innen, Bürger*innen, BürgerInnen, Bürger_innen'],
    ['Bürgerin', 'Bürger/-innen'],
    ['Steuer', 'Kfz-Steuer'],
    ['Kfz', 'Kfz-Steuer-Bescheid'],
    ['Kfzsteuer', 'Kfz-Steuer'],
    ['E-Mail', 'Email'],
    ['E‑Mail', 'E-Mail'],
    ['Steuerbescheid', 'Kfz-Steuerbescheid'],
    ['35a', '§ 35a VwVfG'],
    ['§35a', '§ 35a VwVfG'],
    ['1000', '1.000 Euro'],
    ['2021', 'am 12.03.2021'],
    ['Verwaltung', 'Verwal-\ntung'],
    ['Verwaltung', 'Verwal- \r\n  tung'],
    ['Verwaltung', 'Verwal\u00adtung'],
    ['Verwaltung', 'Verwal\u200btung'],
    ['Behörde', 'Behörde'.normalize('NFD')],
    ['Behörde'.normalize('NFD'), 'Behörde'],
    ['Würde', 'Die Würde des Menschen ist unantastbar.'],
    ['Risiko', 'Risikoeinschätzung'],
  ])('let %s find %s', (query, text) => {
    expect(find(query, text)).toBe(true);
  });

  it.each([
    ['Trag', 'Antrag'],
    ['Ort', 'Standort'],
    ['Kunde', 'Urkunde'],
    ['Forderung', 'Förderung'],
    ['Burg', 'Bürger'],
    ['35', '§ 35a'],
    ['Bauund', 'Bau-\nund Wohnungswesen'],
    ['35a35c', '§§ 35a-35c'],
  ])('do not let %s find %s', (query, text) => {
    expect(find(query, text)).toBe(false);
  });

  it('keep numbers and provisions, and drop signs', () => {
    expect(wordsOf('§§ 48, 49a Abs. 2 – 3 €')).toEqual(['48', '49a', stemOf('Abs'), '2', '3']);
    expect(wordsOf('§§ 35a-35c')).toEqual(['35a', '35c']);
  });

  it('leave out stop words, but not where there is nothing else', () => {
    expect(terms('Wer ist für die Erlaubnis zuständig?')).toEqual([stemOf('Erlaubnis'), stemOf('zuständig')]);
    expect(terms('wer ist das')).toEqual([stemOf('wer'), stemOf('ist'), stemOf('das')]);
  });

  it('weigh parts less than words, and keep the word as it stands', () => {
    for (const { weight, kind, word } of termsOf('Kfz-Steuerbescheide der Verwaltungsvollstreckungsbehörden')) {
      expect(kind === 'word' ? weight === 1 : weight > 0 && weight <= 0.7).toBe(true);
      expect(['Kfz-Steuerbescheide', 'Verwaltungsvollstreckungsbehörden']).toContain(word);
    }
  });

  it('of emoji, signs and nothing are none', () => {
    expect(termsOf('')).toEqual([]);
    expect(termsOf('😀👩‍👩‍👧 --- §§ … \u0000')).toEqual([]);
    expect(wordsOf('Antrag😀Bescheid')).toEqual([stemOf('Antrag'), stemOf('Bescheid')]);
  });

  it('of other scripts are their words', () => {
    expect(wordsOf('Орган 2016 δίκαιο')).toEqual(['орган', '2016', 'δίκαιο']);
  });

  it('of an endless word come soon, and are short', () => {
    termsOf('Haus');
    const endless = [
      'a'.repeat(10_000),
      'bau'.repeat(4_000),
      'verwaltungs'.repeat(1_000),
      'a-'.repeat(20_000),
      '1.000'.repeat(5_000),
      '7'.repeat(10_000),
      `1${'.000'.repeat(20_000)}a`,
      'Bau-'.repeat(10_000),
      'ß'.repeat(10_000),
      'x-\n'.repeat(20_000),
      'ä'.normalize('NFD').repeat(20_000),
    ];
    const started = process.cpuUsage();
    const lengths = endless.flatMap((text) => termsOf(text).map(({ term }) => term.length));
    const { user } = process.cpuUsage(started);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(200);
    // Of the processor, in microseconds: what else the machine does is no matter.
    expect(user).toBeLessThan(2_000_000);
  });
});
