import { checkEncoding } from './encoding.js';

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const windows1252 = (text: string): string => new TextDecoder('windows-1252').decode(Buffer.from(text, 'utf8'));

const SENTENCE = 'Die Behörde prüft gemäß § 35 VwVfG die Größe der Fläche – „ohne“ Änderung, für 5 €.';

describe('damaged characters', () => {
  it.each([
    SENTENCE,
    'Bau- und Planungsrecht, Wasser- oder Abwasserrecht, nicht-\nöffentliche und öffentlich-\nrechtliche Stellen',
    'À bientôt, São Tomé, NÃO, Ålesund, Ärger; naïve café, 10 °C, ½ Stück, «Zitat»',
    'Zeile eins\r\nZeile zwei\tmit Tabulator 😀 und \u00A0 geschütztem Zwischenraum',
    'Straßen- bzw. Wegerecht sowie Vor-\nund Nachteile',
  ])('are not seen in: %s', (text) => {
    expect(checkEncoding(text)).toEqual({
      check: 'encoding',
      score: 1,
      verdict: 'ok',
      reason: 'No damaged characters',
    });
  });

  it.each([
    ['UTF-8 read as Windows-1252', windows1252(SENTENCE), 'mojibake'],
    ['UTF-8 read as ISO 8859-1', latin1(SENTENCE), 'mojibake'],
    ['replaced characters', 'Die Beh\uFFFDrde pr\uFFFDft gem\uFFFD\uFFFD der Gr\uFFFD\uFFFDe', 'replacement'],
    ['control characters', 'Die\u0000 Beh\u0001rde pr\u0002ft', 'control'],
    ['numbers of glyphs', 'Die (cid:12)(cid:34) Behörde', 'private_use'],
    ['halves of characters', 'Die \uD83D\uD83D Behörde', 'lone_surrogate'],
  ])('reject a row with %s', (_, text, kind) => {
    const finding = checkEncoding(text);
    expect(finding.verdict).toBe('reject');
    expect(finding.score).toBeLessThan(0.6);
    expect(Object.keys(finding.detail ?? {})).toContain(kind);
  });

  it('warn where words are cut, however many', () => {
    const text = 'Der Verwal-\ntungsakt der Bau- behörde wird in der Zustän-\n   digkeit der Gemeinde er\u00ADlassen. ';
    expect(checkEncoding(text)).toMatchObject({ verdict: 'warn', detail: { hyphenation: 4 } });
    expect(checkEncoding(text.repeat(50)).verdict).toBe('warn');
    expect(checkEncoding(`Der Verwal-\ntungsakt. ${SENTENCE}`).verdict).toBe('ok');
  });

  it('say how large their share is', () => {
    expect(checkEncoding(`${'a'.repeat(98)}\uFFFD\uFFFD`)).toMatchObject({ score: 0.6, detail: { share: 0.02 } });
    expect(checkEncoding(`${'a'.repeat(999)}\uFFFD`)).toMatchObject({ score: 0.98, verdict: 'warn' });
    expect(checkEncoding(`${'a'.repeat(9999)}\uFFFD`).verdict).toBe('ok');
  });
});
