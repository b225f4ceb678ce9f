import { jsonProblemAt } from './json-problem.js';

describe('the place where a text stops being JSON', () => {
  it.each([
    ['{"text": b}', 9],
    ['{"text": "b}', 12],
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ['{"a":1 "b":2}', 7],
    ['[1,2', 4],
    ['[1,]', 3],
    ['[1}', 2],
    ['["a\\x"]', 3],
    ['["a\tb"]', 3],
    ['{"a":[{"b":tru}]}', 11],
    ['{"a":1} x', 8],
    ["{'a':1}", 1],
    ['', 0],
    ['01', 1],
    ['[1.]', 2],
  ])('of %j is %i', (text, at) => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    expect(jsonProblemAt(text)).toBe(at);
  });

  it('is found in deep and long texts', () => {
    expect(jsonProblemAt('['.repeat(100_000))).toBe(100_000);
    expect(jsonProblemAt(`{"a":"${'x'.repeat(1_000_000)}",}`)).toBe(1_000_008);
  });
});
