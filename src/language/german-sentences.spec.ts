import { sentencesOf } from './german-sentences.js';

describe('sentencesOf', () => {
  it.each([
    ['Das ist eins. Das ist zwei! Und drei? Ja.', 4],
    ['Nach § 35 Abs. 1 S. 2 VwVfG i. V. m. Art. 3 GG gilt das. Es folgt mehr.', 2],
    ['Am 1. Januar 2020 trat es in Kraft. Am 2. Februar nicht.', 2],
    ['Im 3. Abschnitt steht das.', 1],
    ['Das gilt nach Absatz 2. Die Behörde entscheidet.', 2],
    ['Er gilt seit 2016. Danach nicht mehr.', 2],
    ['Dr. Meier, z. B. als Prof. an der Univ. der Stadt, sagt ca. 5 Mio. Menschen Bescheid.', 1],
    ['Sie sagte: „Nein.“ Er ging.', 2],
    ['Die Fa. a. D. und o. g. Stellen', 1],
    ['Voraussetzungen sind:\n1. Antrag;\n2. Gebühr.', 3],
    ['Erster Absatz\n\nZweiter Absatz', 2],
    ['', 0],
  ])('%j', (text, count) => {
    expect(sentencesOf(text)).toHaveLength(count);
    expect(sentencesOf(text).join('')).toBe(text);
  });

  it.each(['. ', '1. ', '\n', 'a. b. ', 'A'])('takes linear time for 1 MB of %j', (part) => {
    const text = part.repeat(1_000_000 / part.length);
    const started = process.cpuUsage();
    expect(sentencesOf(text).join('')).toBe(text);
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(3_000);
  });
});
