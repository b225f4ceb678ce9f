import { divisionLevel, joinLines, paragraphBlocks } from './plain-paragraphs.js';

describe('plain paragraphs', () => {
  it.each([
    ['§ 35 Begriff des Verwaltungsaktes', 5],
    ['§ 35a', 5],
    ['Art. 20', 5],
    ['Artikel 1 Menschenwürde', 5],
    ['Teil III', 1],
    ['Erster Teil', 1],
    ['Abschnitt 2 Fristen, Termine', 3],
    ['§ 35 Satz 1 gilt entsprechend', null],
    ['§ 48 Abs. 2 VwVfG', null],
    ['§ 35 ist anzuwenden.', null],
    ['Teilweise wurde gebaut', null],
    ['Ein Absatz', null],
  ])('%s: level %s', (text, level) => expect(divisionLevel(text)).toBe(level));

  it.each([
    [
      [
        'Die Baugenehmigung ist zu erteilen, wenn dem Vor-',
        'haben keine Vorschriften entgegenstehen, die zu',
        'prüfen sind.',
      ],
      'Die Baugenehmigung ist zu erteilen, wenn dem Vorhaben keine Vorschriften entgegenstehen, die zu prüfen sind.',
    ],
    [
      ['Zuständig ist für diese Frage das Bauordnungs-', 'und Planungsamt der Stadt.'],
      'Zuständig ist für diese Frage das Bauordnungs- und Planungsamt der Stadt.',
    ],
    [
      ['Der Antrag auf Erteilung der Erlaubnis nach dem Bundes-', 'Immissionsschutzgesetz ist schriftlich zu stellen.'],
      'Der Antrag auf Erteilung der Erlaubnis nach dem Bundes-Immissionsschutzgesetz ist schriftlich zu stellen.',
    ],
    [['Stadt Nürnberg', 'Bauamt', '90403 Nürnberg'], 'Stadt Nürnberg\nBauamt\n90403 Nürnberg'],
  ])('joins %j', (lines, text) => expect(joinLines(lines)).toBe(text));

  it('items of a list stand alone', () => {
    expect(paragraphBlocks(['1. eins', '2. zwei', 'a) drei']).map(({ kind, text }) => [kind, text])).toEqual([
      ['list_item', '1. eins'],
      ['list_item', '2. zwei'],
      ['list_item', 'a) drei'],
    ]);
  });
});
