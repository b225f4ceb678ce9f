import { groundingOf } from './grounding.js';

const SOURCE =
  'VwVfG > § 41 Bekanntgabe des Verwaltungsaktes > § 41 VwVfG\n' +
  '(2) Ein schriftlicher Verwaltungsakt, der im Inland durch die Post übermittelt wird, gilt am vierten Tag nach der ' +
  'Aufgabe zur Post als bekannt gegeben. Binnen eines Monats kann nach § 42 Absatz 1 widersprochen werden; die Gebühr ' +
  'beträgt 1.000 Euro. Art. 20 Abs. 3 GG bleibt unberührt.';

const of = (answer: string) => groundingOf(answer, SOURCE, 'vwvfg:41');

describe('what of an answer is in its passage', () => {
  it.each([
    [
      'its own words',
      'Ein schriftlicher Verwaltungsakt gilt am vierten Tag nach der Aufgabe zur Post als bekannt gegeben.',
    ],
    [
      'other forms of its words',
      'Schriftliche Verwaltungsakte gelten am vierten Tage nach Aufgabe bei der Post als bekanntgegeben.',
    ],
    ['numbers as digits', 'Nach § 41 VwVfG gilt der Verwaltungsakt am 4. Tag nach der Aufgabe als bekannt gegeben.'],
    ['one as a word', 'Innerhalb von 1 Monat kann widersprochen werden.'],
    ['thousands', 'Die Gebühr beträgt 1000 Euro.'],
    ['provisions of its own law', 'Widersprochen werden kann nach § 42 VwVfG; Art. 20 GG bleibt unberührt.'],
  ])('is all of it: %s', (_, answer) => {
    const { share, invented } = of(answer);
    expect(invented).toEqual([]);
    expect(share).toBeGreaterThanOrEqual(0.6);
  });

  it.each([
    ['a number', 'Der Verwaltungsakt gilt am dritten Tag oder nach 14 Tagen als bekannt gegeben.', ['14']],
    ['another paragraph', 'Der Verwaltungsakt gilt nach § 43 VwVfG als bekannt gegeben.', ['§ 43 VwVfG', '43']],
    ['another law', 'Der Verwaltungsakt gilt nach § 41 SGB X als bekannt gegeben.', ['§ 41 SGB X']],
  ])('leaves %s that was invented', (_, answer, invented) => {
    expect(of(answer).invented).toEqual(invented);
  });

  it('is little of a foreign answer, and all of one without words', () => {
    expect(of('Katzen trinken gern warme Milch.').share).toBeLessThan(0.3);
    expect(of('')).toEqual({ share: 1, invented: [] });
  });

  it('counts compounds by their parts', () => {
    expect(groundingOf('Die Baugenehmigung', 'Die Genehmigung wird erteilt.', null).share).toBeCloseTo(0.5, 1);
    expect(groundingOf('Die Genehmigung', 'Die Baugenehmigung wird erteilt.', null).share).toBe(1);
  });
});
