import { checkRelevance } from './relevance.js';

const TEXT = 'Im Baugenehmigungsverfahren prüft die Behörde die Abstandsfläche und den Brandschutz.';

describe('the relevance of a row', () => {
  it.each([
    [0.83, 'ok', 0.83],
    [0.2, 'warn', 0.2],
    [0, 'warn', 0],
  ])('of a hit with %d is %s', (hit, verdict, score) => {
    expect(checkRelevance(TEXT, { hit, terms: ['Steuer'] })).toMatchObject({ verdict, score });
  });

  it('is the share of terms without a hit, parts of compounds and folded words included', () => {
    const terms = ['Genehmigung', 'Abstandsflaeche', 'Behörde', 'Steuer'];
    expect(checkRelevance(TEXT, { hit: null, terms })).toMatchObject({
      verdict: 'ok',
      score: 0.75,
      detail: { found: ['genehmigung', 'abstandsflaeche', 'behoerde'] },
    });
  });

  it('only warns where no term occurs', () => {
    expect(checkRelevance(TEXT, { hit: null, terms: ['Steuer', 'Zoll'] })).toMatchObject({ verdict: 'warn', score: 0 });
  });

  it('takes short terms as whole words', () => {
    expect(checkRelevance(TEXT, { hit: null, terms: ['Bau', 'den'] }).score).toBe(0.5);
  });

  it('holds nothing against a row when nothing is known', () => {
    expect(checkRelevance(TEXT, { hit: null, terms: [' '] })).toMatchObject({ verdict: 'ok', score: 1 });
  });
});
