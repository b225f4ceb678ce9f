import { open, type FileHandle } from 'node:fs/promises';
import { stringify } from 'csv-stringify/sync';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import type { Fields } from './row-problem.js';

const BUFFERED = 256 * 1024;
const PARQUET_GROUP_ROWS = 1000;
/** Of one row group in memory. */
const PARQUET_GROUP_BYTES = 16 * 1024 * 1024;

/** A file that rows are put into, one after the other; `end` makes it durable. */
export interface RowSink {
  write(row: Fields): Promise<void>;
  end(): Promise<void>;
  /** Lets go of the file, whatever state it is in. */
  close(): Promise<void>;
}

/** A new file that is written through a buffer. */
export class TextFile {
  #parts: string[] = [];
  #held = 0;
  /** Bytes so far, those in the buffer included. */
  bytes = 0;

  private constructor(private readonly file: FileHandle) {}

  /** @throws where the file is there already */
  static async create(path: string): Promise<TextFile> {
    return new TextFile(await open(path, 'wx', 0o600));
  }

  async write(text: string): Promise<void> {
    const size = Buffer.byteLength(text);
    this.#parts.push(text);
    this.#held += size;
    this.bytes += size;
    if (this.#held >= BUFFERED) await this.#flush();
  }

  async end(): Promise<void> {
    await this.#flush();
    await this.file.sync();
  }

  close(): Promise<void> {
    return this.file.close();
  }

  async #flush(): Promise<void> {
    if (this.#parts.length > 0) await this.file.appendFile(this.#parts.join(''));
    this.#parts = [];
    this.#held = 0;
  }
}

/** How rows become the text of a file. */
interface Text {
  first: string;
  row: (row: Fields, index: number) => string;
  last: string;
}

const jsonl: Text = { first: '', row: (row) => `${JSON.stringify(row)}\n`, last: '' };

const json = (head: Fields): Text => ({
  first: `${JSON.stringify(head).slice(0, -1)}${Object.keys(head).length > 0 ? ',' : ''}"documents":[`,
  row: (row, index) => `${index === 0 ? '\n' : ',\n'}${JSON.stringify(row)}`,
  last: '\n]}\n',
});

const csv: Text = {
  first: '',
  row: (row, index) => {
    const cells = Object.values(row).map((value) => value ?? '');
    return stringify(index === 0 ? [Object.keys(row), cells] : [cells]);
  },
  last: '',
};

class TextSink implements RowSink {
  #rows = 0;

  constructor(
    private readonly file: TextFile,
    private readonly text: Text,
  ) {}

  async write(row: Fields): Promise<void> {
    await this.file.write(this.text.row(row, this.#rows));
    this.#rows += 1;
  }

  async end(): Promise<void> {
    await this.file.write(this.text.last);
    await this.file.end();
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** Numbers are doubles, truth values are themselves, everything else is text: lists and objects as JSON. */
function columnType(name: string): 'DOUBLE' | 'BOOLEAN' | 'STRING' {
  if (name.endsWith('_score')) return 'DOUBLE';
  return name === 'kto_tag' ? 'BOOLEAN' : 'STRING';
}

function cell(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  return typeof value === 'object' ? JSON.stringify(value) : value;
}

class ParquetSink implements RowSink {
  readonly #writer: ParquetWriter;
  #rows: Fields[] = [];
  #held = 0;

  constructor(
    private readonly path: string,
    private readonly columns: readonly string[],
  ) {
    const schema = columns.map((name) => {
      const type = columnType(name);
      const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;
      return { name, repetition_type: 'OPTIONAL' as const, ...(type === 'STRING' ? text : { type }) };
    });
    this.#writer = new ParquetWriter({
      writer: fileWriter(path),
      schema: [{ name: 'root', num_children: columns.length }, ...schema],
    });
  }

  async write(row: Fields): Promise<void> {
    this.#rows.push(row);
    this.#held += JSON.stringify(row).length;
    if (this.#rows.length >= PARQUET_GROUP_ROWS || this.#held >= PARQUET_GROUP_BYTES) await this.#group();
  }

  async end(): Promise<void> {
    if (this.#rows.length > 0) await this.#group();
    await this.#writer.finish();
    const file = await open(this.path, 'r');
    await file.sync().finally(() => file.close());
  }

  close(): Promise<void> {
    this.#rows = [];
    return Promise.resolve();
  }

  async #group(): Promise<void> {
    const columnData = this.columns.map((name) => ({ name, data: this.#rows.map((row) => cell(row[name])) }));
    await this.#writer.write({ columnData, rowGroupSize: this.#rows.length });
    this.#rows = [];
    this.#held = 0;
  }
}

/** What a file needs to know before its first row. */
export interface SinkHead {
  /** Of a JSON file, before its `documents`. */
  json: Fields;
  /** Of a Parquet file; other fields of the rows are left out. */
  columns: readonly string[];
}

/** @param path of a file that is not there yet */
export async function openSink(
  path: string,
  kind: 'jsonl' | 'json' | 'csv' | 'parquet',
  head: SinkHead,
): Promise<RowSink> {
  if (kind === 'parquet') return new ParquetSink(path, head.columns);
  const text = kind === 'jsonl' ? jsonl : kind === 'csv' ? csv : json(head.json);
  const file = await TextFile.create(path);
  await file.write(text.first);
  return new TextSink(file, text);
}
