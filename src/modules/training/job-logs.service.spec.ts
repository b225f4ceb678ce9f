import { tailStart } from './job-logs.service.js';

const tail = (text: string, lines: number): string =>
  Buffer.from(text)
    .subarray(tailStart(Buffer.from(text), lines))
    .toString();

describe('tailStart', () => {
  it.each([
    ['a\nb\nc\n', 2, 'b\nc\n'],
    ['a\nb\nc', 2, 'b\nc'],
    ['a\nb\nc\n', 9, 'a\nb\nc\n'],
    ['\n\n\n', 1, '\n'],
    ['a', 1, 'a'],
    ['', 5, ''],
  ])('%j, %i lines -> %j', (text, lines, expected) => expect(tail(text, lines)).toBe(expected));
});
