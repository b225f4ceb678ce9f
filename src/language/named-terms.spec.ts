import { namedTerms } from './named-terms.js';

describe('namedTerms', () => {
  it.each([
    ['Die Meier GmbH (im Folgenden: Antragstellerin) beantragt.', ['Antragstellerin']],
    ['Die Stadt Köln (nachfolgend „die Stadt“ genannt) handelt.', ['Stadt']],
    ['(2) Behörde im Sinne dieses Gesetzes ist jede Stelle.', ['Behörde']],
    ['Bauliche Anlagen im Sinne dieser Satzung sind Gebäude.', ['Bauliche Anlagen']],
    ['1. „Verantwortlicher“ die natürliche Person, die entscheidet;', ['Verantwortlicher']],
    ['Der Ausdruck „personenbezogene Daten“ bezeichnet alle Angaben.', ['personenbezogene Daten']],
    ['Sie leisten einander Hilfe (Amtshilfe). Die Amtshilfe ist frei.', ['Amtshilfe']],
    ['Zuständig ist das Bundesamt für Migration und Flüchtlinge.', ['Bundesamt für Migration und Flüchtlinge']],
    [
      'nach Anhörung des Bundesamtes für Sicherheit in der Informationstechnik und',
      ['Bundesamt für Sicherheit in der Informationstechnik'],
    ],
    [
      'des Bundesministeriums des Innern, für Bau und Heimat sowie',
      ['Bundesministerium des Innern, für Bau und Heimat'],
    ],
    ['legt dem Bundesamt für Migration und Flüchtlinge Ersuchen vor', ['Bundesamt für Migration und Flüchtlinge']],
    ['Das Ministerium für Umwelt entscheidet.', ['Ministerium für Umwelt']],
    ['beim Bundesamt für Soziale\n    Sicherung', ['Bundesamt für Soziale Sicherung']],
    [
      'das Bundesministerium für Verkehr und digitale Infrastruktur bestimmt',
      ['Bundesministerium für Verkehr und digitale Infrastruktur'],
    ],
    ['beim Statistischen Bundesamt', ['Statistisches Bundesamt']],
    ['Gemeinde Musterdorf\nHauptstraße 1', ['Gemeinde Musterdorf']],
  ])('%s', (text, expected) => {
    expect(namedTerms(text)).toEqual(expected);
  });

  it.each([
    'Er wohnt in Kerpen (Rheinland). Danach zog er um.',
    'Die Gemeinde Flächen als Wald festsetzen kann.',
    '§ 20 (weggefallen)',
    'Gesetz vom 1. Mai (BGBl. I S. 3), (EU), (Anlage) siehe Anlage',
    'die Behörde des Landes und das Amt des Vertreters',
    'Er sagte „guten Tag“ und ging.',
    'am Ende (Montag). Der Montag war schön.',
    '',
  ])('finds nothing in: %s', (text) => {
    expect(namedTerms(text)).toEqual([]);
  });

  it('names each once, at most 50', () => {
    expect(namedTerms('Das Amt für Bau und das amt. Dem Amt für Bau (kurz: Amt für Bau).')).toEqual(['Amt für Bau']);
    const many = Array.from({ length: 80 }, (_, n) => `X (kurz: Begriff${String(n)}).`).join(' ');
    expect(namedTerms(many)).toHaveLength(50);
  });

  it.each(['(im Folgenden: ', '„', 'Amt für Bau und ', 'Aaaa ', 'aaaa ', '(', ' ', '1. „a', 'Amt für Bau, für '])(
    'takes linear time for 1 MB of %j',
    (part) => {
      const started = process.cpuUsage();
      namedTerms(part.repeat(1_000_000 / part.length));
      expect(process.cpuUsage(started).user / 1_000).toBeLessThan(3_000);
    },
  );
});
