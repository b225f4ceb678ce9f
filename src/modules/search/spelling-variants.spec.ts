import { spellingVariants } from './spelling-variants.js';

/** Answers these terms, whatever is asked, as an index with all of them would at most. */
const indexOf = (...terms: string[]) => {
  const asked: unknown[][] = [];
  const query = (_: string, parameters: unknown[] = []): Promise<unknown> => {
    asked.push(parameters);
    return Promise.resolve(terms.map((term, index) => ({ term, term_id: index + 1, df: 10 - index })));
  };
  return { sql: { query } as Parameters<typeof spellingVariants>[0], asked };
};
const asked = (term: string) => ({ term, weight: 1, word: term });
const found = async (term: string, hasKnownParts: boolean, ...terms: string[]) => {
  const variants = await spellingVariants(indexOf(...terms).sql, asked(term), { hasKnownParts });
  return variants.map((variant) => variant.term);
};

describe('spelling variants', () => {
  it('of a compound that no document has are those with a single error of typing', async () => {
    expect(await found('wiederspruch', true, 'widerspruch', 'wiederspruchslos')).toEqual(['widerspruch']);
    expect(await found('widerspruchsbehord', true, 'widerspruchsbescheid')).toEqual([]);
  });

  it('of an unknown word are those that share many trigrams too, the most alike first, three at most', async () => {
    const terms = ['verwaltungsamt', 'verwaltungsakts', 'verwaltungsakte', 'verwaltungsaktes', 'amt'];
    const variants = await found('verwaltungsakt', false, ...terms);
    expect(variants).toHaveLength(3);
    expect(variants).not.toContain('amt');
  });

  it('weigh less than the word', async () => {
    const [variant] = await spellingVariants(indexOf('zwangsgeld').sql, asked('zwangsgelt'), { hasKnownParts: false });
    expect(variant).toMatchObject({ term: 'zwangsgeld', word: 'zwangsgelt', weight: 0.5, id: 1, df: 10 });
  });

  it('are looked for by three groups of neighbouring trigrams, which hold them all', async () => {
    const index = indexOf();
    await spellingVariants(index.sql, asked('frist'), { hasKnownParts: false });
    const groups = index.asked[0]?.slice(0, 3) as string[][];
    expect(groups.flat()).toEqual(['  f', ' fr', 'fri', 'ris', 'ist', 'st ']);
    expect(index.asked[0]?.slice(3)).toEqual([2, 8]);
  });

  it('are not looked for where the term has a digit, or is too short', async () => {
    expect(await found('35a', false, '35b')).toEqual([]);
    expect(await found('', false, 'a')).toEqual([]);
  });
});
