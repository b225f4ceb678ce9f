import { estimateTokens } from './token-estimate.js';

describe('estimateTokens', () => {
  it.each([
    ['', 0],
    [' \n ', 0],
    ['Der', 1],
    ['Behörde', 3],
    ['Verwaltungsverfahrensgesetz', 9],
    ['§ 35 Satz 1.', 6],
    ['漢字', 2],
  ])('%j: %i', (text, tokens) => {
    expect(estimateTokens(text)).toBe(tokens);
  });

  it('takes linear time', () => {
    const started = process.cpuUsage();
    estimateTokens('a'.repeat(2_000_000));
    estimateTokens('.'.repeat(1_000_000));
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(3_000);
  });
});
