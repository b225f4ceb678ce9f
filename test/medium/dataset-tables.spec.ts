import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readRows, UnreadableRows } from '../../src/modules/dataset/formats/read-file.js';
import { Random } from '../fixtures/random.js';
import { trainerPython } from '../fixtures/trainer.js';

import.meta.jest.setTimeout(300_000);

const signal = new AbortController().signal;

/** Files as pyarrow writes them, beside what is in them as JSON. */
const WRITER = `
import datetime, json, sys
import pyarrow as pa, pyarrow.feather as feather, pyarrow.ipc as ipc, pyarrow.parquet as pq
folder = sys.argv[1]
texts = [f"Zeile {n} über „ß“ 😀 " + "Die Behörde entscheidet nach Aktenlage. " * (n % 60) for n in range(7000)]
texts[17] = "".join(chr(97 + (n * n * 31 + n // 7) % 26) for n in range(300_000))
turns = [[{"role": "user", "content": f"Frage {n}?"}, {"role": "assistant", "content": f"Antwort {n}. " * 5}] for n in range(400)]
plain = pa.table({"text": texts, "quality_score": [n / 7000 for n in range(7000)], "topic": pa.array(["a", None] * 3500).dictionary_encode()})
nested = pa.table({
    "messages": pa.array(turns, pa.list_(pa.struct([("role", pa.string()), ("content", pa.large_string())]))),
    "number": pa.array([2**40 + n for n in range(400)], pa.int64()),
    "day": pa.array([datetime.date(2026, 1, 1)] * 400),
    "moment": pa.array([datetime.datetime(2026, 1, 2, 3, 4, 5)] * 400, pa.timestamp("us")),
    "tags": pa.array([["x", "y"]] * 399 + [None], pa.list_(pa.string())),
    "viewed": pa.array([f"kurz {n}" if n % 2 else "ein langer Text, der nicht in die Ansicht passt" for n in range(400)], pa.string_view()),
})
json.dump({"plain": texts, "nested": turns}, open(f"{folder}/wanted.json", "w"))
for name, table in {"plain": plain, "nested": nested}.items():
    for packed in [None, "lz4", "zstd"]:
        options = ipc.IpcWriteOptions(compression=packed)
        with ipc.new_file(f"{folder}/{name}-{packed}.arrow", table.schema, options=options) as file:
            file.write_table(table, max_chunksize=1500)
        with ipc.new_stream(f"{folder}/{name}-{packed}.arrows", table.schema, options=options) as file:
            file.write_table(table, max_chunksize=1500)
feather.write_feather(plain, f"{folder}/plain.feather")
for packed in ["none", "snappy", "gzip", "brotli", "lz4", "zstd"]:
    pq.write_table(plain, f"{folder}/plain-{packed}.parquet", compression=packed, row_group_size=2000)
    pq.write_table(nested.drop_columns(["viewed"]), f"{folder}/nested-{packed}.parquet", compression=packed)
`;

const packings = ['None', 'lz4', 'zstd'];
const files = [
  ...packings.flatMap((packing) => [`${packing}.arrow`, `${packing}.arrows`]),
  ...['none', 'snappy', 'gzip', 'brotli', 'lz4', 'zstd'].map((packing) => `${packing}.parquet`),
];

describe('tables that pyarrow wrote', () => {
  let folder: string;
  let wanted: { plain: string[]; nested: { role: string; content: string }[][] };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-tables-'));
    await promisify(execFile)(await trainerPython(), ['-c', WRITER, folder]);
    wanted = JSON.parse(await readFile(join(folder, 'wanted.json'), 'utf8')) as typeof wanted;
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function read(name: string) {
    const rows = [];
    for await (const row of readRows(join(folder, name), signal)) rows.push(row);
    return rows;
  }

  it.each(['plain.feather', ...files.map((file) => `plain-${file}`)])('are read whole: %s', async (name) => {
    const rows = await read(name);
    expect(rows.map(({ row }) => (row.kind === 'text' ? row.text : row.kind))).toEqual(wanted.plain);
    expect(rows[2]?.metadata).toEqual({ quality_score: 2 / 7000, topic: 'a' });
    expect(rows[3]?.metadata).toEqual({ quality_score: 3 / 7000 });
  });

  it.each(files.map((file) => `nested-${file}`))('have lists, dates and large numbers: %s', async (name) => {
    const rows = await read(name);
    expect(rows.map(({ row }) => (row.kind === 'messages' ? row.messages : row.kind))).toEqual(wanted.nested);
    expect(rows[3]?.metadata).toEqual({
      number: 2 ** 40 + 3,
      day: '2026-01-01T00:00:00.000Z',
      moment: '2026-01-02T03:04:05.000Z',
      tags: ['x', 'y'],
      ...(name.includes('parquet') ? {} : { viewed: 'kurz 3' }),
    });
    expect(rows.at(-1)?.metadata).not.toHaveProperty('tags');
  });

  it.each(['plain.feather', 'plain-zstd.arrows', 'nested-None.arrow', 'plain-zstd.parquet', 'plain-lz4.parquet'])(
    'that are broken are refused and nothing else happens: %s',
    async (name) => {
      const whole = await readFile(join(folder, name));
      const random = new Random(7);
      const path = join(folder, `broken-${name}`);
      for (let attempt = 0; attempt < 20; attempt += 1) {
        const broken = Buffer.from(attempt < 10 ? whole.subarray(0, Math.floor(whole.length * random.next())) : whole);
        const from = random.below(broken.length || 1);
        if (attempt >= 10) broken.fill(random.below(256), from, from + 200);
        await writeFile(path, broken);
        const rows = await read(`broken-${name}`).catch((error: unknown) => error);
        // A byte of a text may well be another: then there are as many rows as before.
        if (Array.isArray(rows)) expect(rows.length).toBeLessThanOrEqual(wanted.plain.length);
        else expect(rows).toBeInstanceOf(UnreadableRows);
      }
    },
  );
});
