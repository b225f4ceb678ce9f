import { shown } from '../../../test/fixtures/parsing.js';
import { delimiterOf } from './csv.js';
import { frontMatterFacts } from './front-matter.js';
import { jsonBlocks, recordText } from './json-blocks.js';
import { namesColumns, rowText } from './table-rows.js';
import { readXml } from './xml-events.js';
import { XmlText } from './xml-text.js';

const xml = (text: string): string[] => {
  const handler = new XmlText();
  readXml([text], handler);
  return shown(handler.take());
};

describe('data', () => {
  it.each([
    ['a;b\n1,5;2\n', ';'],
    ['a,b\n"x;y;z",2\n', ','],
    ['a\tb, c\n1\t2, 3\n', '\t'],
    ['a|b\n1|2\n', '|'],
    ['nur eine Spalte\n', ';'],
  ])('the delimiter of %j is %j', (start, delimiter) => expect(delimiterOf(start)).toBe(delimiter));

  it('a first row names the columns when its cells are different words', () => {
    expect(namesColumns(['Name', 'Ort'])).toBe(true);
    for (const row of [['Name'], ['Name', 'Name'], ['Name', '12'], ['Name', ''], ['1', '2'], []])
      expect(namesColumns(row)).toBe(false);
  });

  it('a row leaves empty cells out', () => {
    expect(rowText(['A', 'B', 'C'], ['1', ' ', 'x\ny', 'mehr'])).toBe('A: 1; C: x y; mehr');
  });

  it('a record on one line', () => {
    expect(recordText({ a: 1, b: { c: [1, null, 'x'], d: [{ e: true }] }, f: null })).toBe(
      'a: 1; b.c: 1, x; b.d.e: true',
    );
    expect(shown([...jsonBlocks({ a: { b: { c: { d: { e: { f: 1 } } } } } })])).toEqual([
      'h1 a',
      'h2 b',
      'h3 c',
      'h4 d',
      'row e.f: 1',
    ]);
    expect(shown([...jsonBlocks(['x', 'y'.repeat(400), [1, 2]])])).toEqual(['- x', `p ${'y'.repeat(400)}`, 'row 1, 2']);
  });

  it.each([
    ['<a><b>1</b><c>2</c></a>', ['row b: 1; c: 2']],
    ['<a><b>1</b><b>2</b></a>', ['p 1', 'p 2']],
    ['<a><r><x>1</x><y>2</y></r><r><x>3</x><y>4</y></r></a>', ['row x: 1; y: 2', 'row x: 3; y: 4']],
    ['<a><title>T</title><p>Ein <i>kursives</i> Wort</p></a>', ['h1 T', 'p Ein kursives Wort']],
    ['<a><p><i>Kursiv</i> am Anfang</p></a>', ['p Kursiv am Anfang']],
    ['<a><person name="Groß" ort="Köln"/></a>', ['p name: Groß; ort: Köln']],
    ['<a><![CDATA[x < y]]></a>', ['p x < y']],
    ['<a>&unbekannt; &amp; &#228;</a>', ['p &unbekannt; & ä']],
  ])('%s', (text, expected) => expect(xml(text)).toEqual(expected));

  it('XML that is not well formed says where', () => {
    expect(() => xml('<a>\n<b></a>')).toThrow(/not well formed: 2:\d+/);
  });

  it('front matter: YAML, and what is nearly YAML', () => {
    expect(frontMatterFacts('title: Gesetz\ndate: 2021-03-01\ntags: [a, b]\nleer:')).toEqual({
      title: 'Gesetz',
      date: '2021-03-01',
      tags: '["a","b"]',
    });
    expect(frontMatterFacts('Title: Gesetz: Teil\nüber den Aufenthalt\njurabk: X')).toEqual({
      Title: 'Gesetz: Teil über den Aufenthalt',
      jurabk: 'X',
    });
    expect(frontMatterFacts('- a\n- b')).toEqual({});
  });
});
