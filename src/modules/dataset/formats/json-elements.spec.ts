import { JsonElements } from './json-elements.js';

/** The elements of a text that comes in pieces of `size` characters. */
function cut(text: string, size: number): unknown[] {
  const elements = new JsonElements();
  const found: string[] = [];
  for (let at = 0; at < text.length; at += size)
    found.push(...elements.push(text.slice(at, at + size)).map((e) => e.text));
  elements.end();
  return found.map((element) => JSON.parse(element) as unknown);
}

const rows = [{ a: '],{"\\' }, { b: [1, { c: null }] }, 'text, [with] "signs"', -1.5e3, [], {}, true];

describe('the elements of a list', () => {
  const texts = [
    JSON.stringify(rows),
    ` ${JSON.stringify(rows, null, 2)} \n`,
    JSON.stringify({ name: 'data', n: 3, inner: { data: [1], x: ['y'] }, documents: rows, after: { more: [1] } }),
    JSON.stringify({ data: rows }, null, 1),
  ];

  it.each([1, 2, 3, 7, 100_000])('are whole when the text comes by %i characters', (size) => {
    for (const text of texts) expect(cut(text, size)).toEqual(rows);
  });

  it('may be none', () => expect([cut('[]', 1), cut('{"data": [ ]}', 1)]).toEqual([[], []]));

  it('know the lines they begin in', () => {
    const elements = new JsonElements();
    expect(elements.push('[\n{"a":1},\n\n{"b":\n2}]').map(({ line }) => line)).toEqual([2, 4]);
  });

  it.each([
    ['', 'must hold a list of rows'],
    ['"text"', 'must hold a list of rows'],
    ['{"rows": [1]}', 'must hold a list of rows'],
    ['[{"a":1},', 'line 1: the file ends in the middle of the JSON'],
    ['{"data":[\n{"a":1}', 'line 2: the file ends in the middle'],
    ['{"data":[1]', 'the file ends in the middle'],
    ['[1,,2]', 'a row is missing beside a comma'],
    ['[1,]', 'a row is missing beside a comma'],
    ['[1] x', 'something stands behind the end'],
  ])('of %j are refused', (text, message) => expect(() => cut(text, 3)).toThrow(message));

  it('that are no JSON are handed on, for the parser to say so', () =>
    expect(() => cut('[{"a":1} {"b":2}]', 4)).toThrow(SyntaxError));
});
