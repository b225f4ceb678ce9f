import { kindOfContent, type FileKind } from './file-kind.js';

describe('the kind of a file', () => {
  it.each<[FileKind, string]>([
    ['parquet', 'PAR1....'],
    ['arrow', 'ARROW1\0\0'],
    ['json', '[{"text":"a"}]'],
    ['json', '\uFEFF  \n[ ]'],
    ['json', '{"documents": [{"text":"a"}]}'],
    ['json', '{"name": "a, \\"b\\"", "n": 2, "data": [\n'],
    ['json', '{\n  "documents": [\n'],
    ['json', '{"name":"x","statistics":{"a":[1,{"b":null}]},"documents":[\n{"text":"a"},\n'],
    ['json', '{"data":[{"text":"a"}],"more":1}\n'],
    ['jsonl', '{"text":"a","data":[1]}\n{"text":"b","data":[]}\n'],
    ['jsonl', '{"text":"a"}\n{"text":"b"}'],
    ['jsonl', '{"text":"a"}'],
    ['jsonl', '{"text": broken}\n{"text":"b"}'],
    ['jsonl', '{"text": broken'],
    ['csv', 'text,source\na,b'],
    ['csv', '\uFEFFinstruction;output\r\n'],
    ['csv', 'id\t"text"\n'],
  ])('is %s by %j', (kind, text) => expect(kindOfContent(Buffer.from(text))).toBe(kind));

  it.each([
    ['', 'the file is empty'],
    ['  \n', 'the file is empty'],
    ['Ein Brief\nohne Spalten', 'none of jsonl, json, csv, parquet or arrow'],
    ['\x7fELF', 'none of'],
    ['FEA1....', 'Feather version 1'],
  ])('of %j is refused', (text, message) => expect(() => kindOfContent(Buffer.from(text))).toThrow(message));
});
