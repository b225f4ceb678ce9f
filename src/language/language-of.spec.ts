import { languageOf } from './language-of.js';

describe('language of a text', () => {
  it.each([
    'Die Behörde kann den Verwaltungsakt zurücknehmen.',
    'Verwaltungsakt',
    'Zuständigkeit',
    '§ 1 Anwendungsbereich',
    '§ 35 VwVfG',
    'Art. 20 Abs. 3 GG',
    'Absatz 2 gilt entsprechend.',
    'Personalausweis beantragen',
    'Das Gesetz tritt am Tage nach der Verkuendung in Kraft.',
    'Wer vorsätzlich handelt',
    'Verordnung (EU) 2016/679',
    'GEBÜHRENBESCHEID',
    '#### § 370a (weggefallen)',
    '1. unrichtige oder unvollständige Angaben macht, 2. elektronischer Dokumente',
  ])('knows German: %s', (text) => {
    expect(languageOf(text)).toBe('de');
  });

  it.each([
    ['en', 'The authority may revoke the permit if the conditions are not met.'],
    [
      'en',
      'Personal data shall be processed lawfully, fairly and in a transparent manner in relation to the data subject.',
    ],
    ['en', 'International information systems and their administration by the organisation'],
    ['fr', "L'autorité peut retirer le permis."],
    ['nl', 'De overheid kan de vergunning intrekken wanneer de voorwaarden niet worden nageleefd.'],
    ['es', 'La autoridad puede revocar el permiso.'],
    ['da', 'Myndigheden kan tilbagekalde tilladelsen.'],
    ['sv', 'Myndigheten kan återkalla tillståndet.'],
    ['pl', 'Urząd może cofnąć pozwolenie.'],
    ['ru', 'Орган может отозвать разрешение.'],
    ['tr', 'İdare, koşulların yerine getirilmemesi halinde izni geri alabilir.'],
    ['zh', '当局可以撤销许可证。'],
  ])('knows %s: %s', (language, text) => {
    expect(languageOf(text)).toBe(language);
  });

  it.each(['', ' \n', '1. 2. 3.', '1 234,56 EUR', '😀 😀', 'Xyq', '---'])('does not guess: %j', (text) => {
    expect(languageOf(text)).toBe('und');
  });

  it('looks at beginning, middle and end of a long text, in bounded time', () => {
    const started = process.cpuUsage();
    expect(languageOf('0 '.repeat(2_000_000))).toBe('und');
    expect(languageOf('Die Gemeinde beschließt die Satzung. '.repeat(50_000))).toBe('de');
    expect(process.cpuUsage(started).user).toBeLessThan(2_000_000);
  });
});
