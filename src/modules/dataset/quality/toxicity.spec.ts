import { checkToxicity } from './toxicity.js';

const clean = [
  'Mord (§ 211 StGB): Der Mörder wird mit lebenslanger Freiheitsstrafe bestraft.',
  'Ausländer ist jeder, der nicht Deutscher im Sinne des Artikels 116 Absatz 1 des Grundgesetzes ist.',
  'Juden, Muslime und Christen haben das Recht auf freie Ausübung ihrer Religion.',
  'Prostitutionsstätten bedürfen der Erlaubnis; Geschlechtsverkehr ist nicht strafbar.',
  'Die spastische Lähmung wird mit einer Retardtablette behandelt, Mongolei und Kongo sind Staaten.',
  'Der Bastardwechselkröte gilt der Artenschutz; die Hündin und der Esel sind Nutztiere.',
  'Der dicke Ast, das Gift, die Vergasung von Kohle und die Pissoirverordnung.',
  'Der Dienstmarsch führte an Marschland und Assel-Biotopen vorbei nach Scunthorpe.',
  'Herr Ficker und Frau Fuchs klagen gegen die Stadt Kotzen (Havelland).',
  'Schwule und Lesben können seit 2017 heiraten; Behinderte haben Anspruch auf Teilhabe.',
  'Die Tötung auf Verlangen, der Totschlag und die Körperverletzung mit Todesfolge.',
  'The class assessed the Essex cocktail analysis with a therapist.',
  'Der Antrag muss bis zum 1. Mai gestellt werden, sonst muss er abgelehnt werden.',
  'Die Steinigung ist als Strafe verboten; niemand darf hingerichtet werden.',
];

const toxic: [string, 'warn' | 'reject'][] = [
  ['Du bist ein verdammtes Arschloch.', 'reject'],
  ['Ihr Hurensöhne!', 'reject'],
  ['Halt die Fresse, du Missgeburt', 'reject'],
  ['So eine Scheiße, der Bescheid ist scheisse.', 'warn'],
  ['SCHEEEISSE!!!', 'warn'],
  ['Was für ein Idiot', 'warn'],
  ['F I C K dich', 'reject'],
  ['fick dich', 'reject'],
  ['f***ing a****loch', 'reject'],
  ['Ausländer raus', 'reject'],
  ['Die gehören doch alle vergast.', 'reject'],
  ['Ich bring dich um', 'reject'],
  ['Ich mach dich noch kalt', 'reject'],
  ['Geh sterben', 'reject'],
  ['Scheiß Türken', 'reject'],
  ['Heil Hitler', 'reject'],
  ['Du Kümmeltürke', 'reject'],
  ['You fucking asshole', 'reject'],
  ['kill yourself', 'reject'],
  ['what a bunch of faggots', 'reject'],
  ['this is bullshit', 'warn'],
  ['you are such a retard', 'reject'],
];

describe('toxic words', () => {
  it.each(clean)('are not seen in: %s', (text) => {
    expect(checkToxicity(text)).toMatchObject({ verdict: 'ok', score: 1 });
  });

  it.each(toxic)('are seen in: %s (%s)', (text, verdict) => {
    expect(checkToxicity(text).verdict).toBe(verdict);
  });

  it('only warn in a text that is about them', () => {
    const judgment =
      'Das Gericht sieht in dem Wort „Arschloch“ eine Beleidigung; auch „Heil Hitler“ ist nach § 86a StGB strafbar.';
    expect(checkToxicity(judgment)).toMatchObject({ verdict: 'warn', detail: { severity: 3, hatred: 1, insults: 1 } });
  });

  it('weigh less in a long text', () => {
    const long = 'Die Behörde prüft den Antrag nach Aktenlage. '.repeat(20);
    expect(checkToxicity(`${long} So ein Mist, scheisse.`).verdict).toBe('ok');
    expect(checkToxicity(`${long} Arschloch.`).verdict).toBe('warn');
    expect(checkToxicity(`${long} Arschloch, Wichser, Schlampe.`).verdict).toBe('reject');
  });

  it('are not repeated in the reason', () => {
    expect(JSON.stringify(checkToxicity('Du Arschloch'))).not.toMatch(/arschloch/i);
  });
});
