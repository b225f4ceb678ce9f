import { asBoolean, asNumber } from './query-text.js';

describe('what a query carries as text', () => {
  it.each([
    ['12', 12],
    ['0.7', 0.7],
    ['.5', 0.5],
    ['-1e3', -1000],
    [' 2 ', 2],
    [3, 3],
    ['', ''],
    ['abc', 'abc'],
    ['0x10', '0x10'],
    ['Infinity', 'Infinity'],
    [
      ['1', '2'],
      ['1', '2'],
    ],
    [true, true],
  ])('%j is the number %j', (value, expected) => {
    expect(asNumber({ value })).toEqual(expected);
  });

  it.each([
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
    [false, false],
    ['ja', 'ja'],
    ['', ''],
  ])('%j is the answer %j', (value, expected) => {
    expect(asBoolean({ value })).toEqual(expected);
  });
});
