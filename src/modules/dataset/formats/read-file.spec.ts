import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRows } from './read-file.js';
import { openSink } from './row-sink.js';

const signal = new AbortController().signal;
const row = (text: string) => ({ text });
const long = 'ä€😀"\\,;\n'.repeat(60_000);

describe('reading a file', () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'clara-formats-'))));
  afterAll(() => rm(folder, { recursive: true }));

  let count = 0;
  const place = (): string => join(folder, String((count += 1)));

  async function read(path: string): Promise<unknown[]> {
    const rows: unknown[] = [];
    for await (const each of readRows(path, signal)) rows.push(each.row);
    return rows;
  }
  async function readText(text: string | Buffer): Promise<unknown[]> {
    const path = place();
    await writeFile(path, text);
    return read(path);
  }

  it.each(['jsonl', 'json', 'csv', 'parquet'] as const)(
    'as %s gives what was written, long texts too',
    async (kind) => {
      const path = place();
      const sink = await openSink(path, kind, { json: { dataset_id: 'x' }, columns: ['text', 'quality_score'] });
      const rows = Array.from({ length: 2500 }, (_, index) => row(index === 7 ? long : `Zeile ${index} "ß"\nzwei`));
      for (const each of rows) await sink.write({ ...each, quality_score: 0.5 });
      await sink.end();
      await sink.close();
      expect(await read(path)).toEqual(rows.map(({ text }) => ({ kind: 'text', text })));
    },
  );

  it('takes lists in cells of a table as what they are', async () => {
    const path = place();
    const messages = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ];
    const sink = await openSink(path, 'parquet', { json: {}, columns: ['messages', 'text', 'kto_tag'] });
    await sink.write({ messages, kto_tag: true });
    await sink.write({ text: 'nur Text' });
    await sink.end();
    expect(await read(path)).toMatchObject([
      { kind: 'kto', desirable: true },
      { kind: 'text', text: 'nur Text' },
    ]);
  });

  it('with a byte order mark, Windows line ends and empty lines', async () => {
    expect(await readText('\uFEFF{"text":"a"}\r\n\r\n{"text":"b"}\r\n')).toHaveLength(2);
    expect(await readText('\uFEFFtext;topic\r\n"a;""b""\r\nc";x\r\n')).toEqual([{ kind: 'text', text: 'a;"b"\r\nc' }]);
  });

  it.each([
    ['{"text":"a"}\n{"text": b}\n{"text":"c"}', 'line 2: is not JSON: "b}" has no meaning here (column 10)'],
    ['{"text":"a"}\n\n{"text":""}\n{"x":1}', 'line 3: text is empty; line 4: has none of the known formats'],
    ['{"text":"a"}\n{"text":"b"', 'line 2: is not JSON'],
    ['[{"text":"a"},\n{"text":1}]', 'row 2 (line 2): text must be text, not a number'],
    ['{"documents":[{"text":"a"}', 'line 1: the file ends in the middle'],
    ['text,topic\na,b\nc,d,e\n"f\ng",h\n', 'line 3: has 3 columns, the head line has 2'],
    ['text,topic\na,"b', 'is not CSV'],
    ['PAR1 and no more than that', 'is not a Parquet file'],
    ['[]', 'the file has no rows'],
  ])('%j tells the place and the problem', async (text, message) => expect(readText(text)).rejects.toThrow(message));

  it('tells the byte that is no text', async () => {
    const broken = Buffer.concat([Buffer.from('{"text":"a"}\n{"text":"ü'), Buffer.from([0xff]), Buffer.from('"}')]);
    await expect(readText(broken)).rejects.toThrow('line 2: is not UTF-8 (byte 12: 0xff)');
    await expect(readText(Buffer.concat([Buffer.from('['), broken]))).rejects.toThrow('the file is not UTF-8');
  });

  it('hands out nothing behind the first bad row, and tells ten and the number of the others', async () => {
    const path = place();
    await writeFile(path, `{"text":"gut"}\n${'{"text":1}\n'.repeat(30)}{"text":"gut"}\n`);
    const seen: unknown[] = [];
    const all = async () => {
      for await (const each of readRows(path, signal)) seen.push(each);
    };
    await expect(all()).rejects.toThrow(/^line 2: .*line 11: .*; and 20 more$/s);
    expect(seen).toHaveLength(1);
  });

  it('ends when it is told to', async () => {
    const path = place();
    await writeFile(path, '{"text":"a"}\n'.repeat(100_000));
    const stop = new AbortController();
    const all = async () => {
      for await (const _ of readRows(path, stop.signal)) stop.abort();
    };
    await expect(all()).rejects.toThrow('aborted');
  });
});
