import snowball from 'snowball-stemmers';
import { snowballStem, stemOf } from './german-stem.js';
import { HEADS, WHOLE } from './german-words.generated.js';

/** Every 60th noun of the lexicon and every tenth of its other words, with endings. */
const sample = [
  ...HEADS.split(/\s+/).filter((_, at) => at % 60 === 0),
  ...WHOLE.split(/\s+/).filter((_, at) => at % 10 === 0),
].filter((word) => word !== '');
const inflected = sample.flatMap((word) => [word, `${word}es`, `${word}ern`, `${word}lichkeit`]);

describe('German stemmer', () => {
  it('stems as the reference implementation does', () => {
    const reference = snowball.newStemmer('german');
    const words = [
      ...inflected,
      'yoyo',
      'quayle',
      'aueb',
      'a',
      'öl',
      'bestst',
      'ergebnisses',
      'einigungen',
      'frömmigkeit',
    ];
    expect(words.length).toBeGreaterThan(2_000);
    expect(words.filter((word) => snowballStem(word) !== reference.stem(word))).toEqual([]);
  });

  it.each([
    ['Häuser', 'Haus'],
    ['Behoerde', 'Behörden'],
    ['Gebaeude', 'Gebäude'],
    ['Aeusserungen', 'Äußerung'],
    ['Straße', 'Strassen'],
    ['STRASSE', 'straße'],
    ['Genehmigungen', 'genehmigen'],
    ['Bescheides', 'Bescheide'],
    ['Buergern', 'Bürger'],
  ])('gives %s and %s one term', (one, other) => {
    expect(stemOf(one)).toBe(stemOf(other));
  });

  it.each([
    ['Förderung', 'Forderung'],
    ['Foerderung', 'Forderung'],
    ['Zählung', 'Zahlung'],
    ['Bürger', 'Burg'],
    ['Steuer', 'Stür'],
  ])('keeps %s and %s apart', (one, other) => {
    expect(stemOf(one)).not.toBe(stemOf(other));
  });
});
