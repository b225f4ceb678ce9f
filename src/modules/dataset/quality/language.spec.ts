import { checkLanguage } from './language.js';

describe('the language of a row', () => {
  it.each([
    ['de', 0.9, ['de'], 'ok', 1],
    ['en', 0.9, ['de', 'en'], 'ok', 1],
    ['en', 0.9, [], 'ok', 1],
    ['en', 0.9, ['de'], 'reject', 0.1],
    ['en', 0.3, ['de'], 'warn', 0.7],
    [null, 0, ['de'], 'ok', 0.7],
  ])('%s with confidence %d, expected %j: %s', (code, confidence, expected, verdict, score) => {
    expect(checkLanguage({ code, confidence }, expected)).toMatchObject({ verdict, score });
  });

  it('is named with what was expected', () => {
    expect(checkLanguage({ code: 'fr', confidence: 0.8 }, ['de', 'en']).reason).toBe(
      'The language is fr; expected de or en',
    );
  });
});
