import { questionOf } from './question.js';

describe('a question', () => {
  it('asks for its words and, lighter, for their parts', () => {
    const { terms } = questionOf('Wie läuft das Baugenehmigungsverfahren?');
    const compound = terms.filter(({ word }) => word.toLowerCase().startsWith('baugenehmigung'));
    expect(compound[0]).toMatchObject({ weight: 1 });
    expect(compound.length).toBeGreaterThan(3);
    expect(compound.slice(1).every(({ weight }) => weight < 1)).toBe(true);
  });

  it('asks once for a word that comes twice, by its greatest weight', () => {
    const { terms } = questionOf('Genehmigung, Baugenehmigung');
    const [once, ...more] = terms.filter(({ term }) => term === 'genehm');
    expect(once).toMatchObject({ weight: 1, word: 'Genehmigung' });
    expect(more).toEqual([]);
    expect(questionOf('Baugenehmigung, Genehmigung').terms.find(({ term }) => term === 'genehm')?.weight).toBe(1);
  });

  it('names the provisions in it, each once', () => {
    const { provisions } = questionOf('Gilt § 35 VwVfG neben Art. 20 Abs. 3 GG, also § 35 Satz 1 VwVfG?');
    expect(provisions).toEqual(['vwvfg:35', 'gg:20']);
    expect(questionOf('Wann wird ein Verwaltungsakt wirksam?').provisions).toEqual([]);
  });

  it('of a whole page is bounded', () => {
    const page = Array.from({ length: 400 }, (_, index) => `wort${index} § ${index + 1} BGB,`).join(' ');
    const { terms, provisions } = questionOf(page);
    expect(terms).toHaveLength(64);
    expect(provisions).toHaveLength(20);
  });

  it('without a word asks for nothing', () => {
    expect(questionOf(' ?! ')).toMatchObject({ terms: [], provisions: [] });
  });
});
