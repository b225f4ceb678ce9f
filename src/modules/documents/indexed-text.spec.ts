import { createHash } from 'node:crypto';
import { embeddedText, INDEX_ANALYSIS, termWeights } from './indexed-text.js';

const chunk = {
  path: ['Verwaltungsverfahrensgesetz (VwVfG)', 'Teil III', '§ 35 Begriff des Verwaltungsaktes'],
  content: `Die Baugenehmigungsbehörde prüft den Antrag; Häuser, Straße, e-Akte, Bau- und Gewerbeämter, § 35a Satz 1 VwVfG,
    1.000 Euro, Bürger:innen, Behoerde, Widerspruchsverfahren, Datenschutzgrundverordnung, Grundstücksverkehrsgenehmigung.`,
};

it('the nearest heading weighs most, the title a little', () => {
  const weights = termWeights(
    { title: 'Merkblatt', law: null },
    { path: ['Gebühren', 'Fristen'], content: 'Der Antrag' },
  );
  expect(Object.fromEntries(weights)).toMatchObject({ frist: 1.5, antrag: 1, merkblatt: 0.5 });
});

it('an embedder reads title, nearest headings and text', () => {
  expect(embeddedText('VwVfG', { path: ['A', 'B', 'C'], content: 'Text' })).toBe('VwVfG\nB\nC\nText');
});

it('other terms of a text mean a higher INDEX_ANALYSIS, or what is indexed already is not found any more', () => {
  const terms = JSON.stringify([...termWeights({ title: 'Gesetz', law: 'VwVfG' }, chunk)]);
  const digest = createHash('sha256').update(terms).digest('hex').slice(0, 16);
  expect({ analysis: INDEX_ANALYSIS, digest }).toEqual({ analysis: 1, digest: '855d56e2a457a0a6' });
});
