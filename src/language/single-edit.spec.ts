import { isSingleEdit } from './single-edit.js';

describe('one error of typing', () => {
  it.each([
    ['wiederspruch', 'widerspruch'],
    ['anzeigeplicht', 'anzeigepflicht'],
    ['personalauswies', 'personalausweis'],
    ['zwangsgelt', 'zwangsgeld'],
    ['ampt', 'amt'],
    ['mat', 'amt'],
    ['', 'a'],
  ])('is between %s and %s', (one, other) => {
    expect([isSingleEdit(one, other), isSingleEdit(other, one)]).toEqual([true, true]);
  });

  it.each([
    ['amt', 'amt'],
    ['einspruch', 'widerspruch'],
    ['frist', 'fristende'],
    ['abcd', 'badc'],
    ['abc', 'cba'],
    ['antrag', 'auftrag'],
  ])('is not between %s and %s', (one, other) => {
    expect([isSingleEdit(one, other), isSingleEdit(other, one)]).toEqual([false, false]);
  });
});
