import { linesOf, type PdfItem } from './pdf-lines.js';

const item = (str: string, x: number, y: number, width = str.length * 5): PdfItem => ({ str, x, y, width, size: 10 });
const texts = (items: readonly PdfItem[]): string[] => linesOf(items).map(({ text }) => text);
const column = (name: string, x: number): PdfItem[] =>
  Array.from({ length: 10 }, (_, at) =>
    item(`${name}${at} eine Zeile mit vierzig Zeichen und mehr`, x, 700 - at * 14, 210),
  );

describe('the lines of a PDF page', () => {
  it('joins pieces, with a space where there is a gap', () => {
    expect(texts([item('Bau', 10, 700, 15), item('genehmigung', 25, 700, 55), item('erteilt', 84, 700)])).toEqual([
      'Baugenehmigung erteilt',
    ]);
  });

  it('a raised figure belongs to its line', () => {
    expect(texts([item('120 m', 10, 700, 25), { ...item('2', 35, 704, 3), size: 6 }])).toEqual(['120 m2']);
  });

  it('columns that are written one after the other stay so', () => {
    const both = [...column('L', 50), ...column('R', 300)];
    expect(texts(both)).toEqual(both.map(({ str }) => str));
  });

  it('lines in no order are read column by column, from top to bottom', () => {
    const [left, right] = [column('L', 50), column('R', 300)];
    const mixed = left.flatMap((line, at) => [right[9 - at] ?? line, line].toReversed()).toReversed();
    expect(texts(mixed)).toEqual([...left, ...right].map(({ str }) => str));
  });

  it('short texts side by side are a row of a table', () => {
    expect(
      texts([item('Gebühr', 50, 700), item('150 €', 200, 700), item('Summe', 50, 680), item('80 €', 200, 680)]),
    ).toEqual(['Gebühr; 150 €', 'Summe; 80 €']);
  });

  it('blanks alone are no line', () => expect(texts([item('  ', 10, 10), item('', 10, 30)])).toEqual([]));
});
