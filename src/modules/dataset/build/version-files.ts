import { createHash, type Hash } from 'node:crypto';
import { join, relative } from 'node:path';
import type { StoredFile, VersionFiles } from '../dataset-record.js';
import { writeNative } from '../formats/write-row.js';
import { TextFile } from '../formats/row-sink.js';
import { splits, type Split, type VersionRow } from '../version-row.js';
import { storedFile } from './version-folder.js';

/** Where a row stands in rows.jsonl, in bytes. */
export interface RowPlace {
  place: number;
  size: number;
}

/** Writes rows.jsonl, which has everything of each row, and a file a split that trains as it is. */
export class VersionFileWriter {
  readonly #content: Hash = createHash('sha256');
  readonly #splits: Partial<Record<Split, TextFile>> = {};

  private constructor(
    private readonly folder: string,
    private readonly rows: TextFile,
  ) {}

  static async create(folder: string): Promise<VersionFileWriter> {
    return new VersionFileWriter(folder, await TextFile.create(join(folder, 'rows.jsonl')));
  }

  async write(row: VersionRow): Promise<RowPlace> {
    this.#content.update(`${row.split}:${row.hash}\n`);
    const place = this.rows.bytes;
    await this.rows.write(`${JSON.stringify(row)}\n`);
    const file = (this.#splits[row.split] ??= await TextFile.create(join(this.folder, `${row.split}.jsonl`)));
    await file.write(`${JSON.stringify(writeNative(row.row))}\n`);
    return { place, size: this.rows.bytes - place };
  }

  /** Makes the files durable. */
  async end(): Promise<void> {
    for (const file of this.#files()) await file.end();
  }

  /** SHA-256 over `<split>:<hash of the row>` of every row, in order. */
  contentHash(): string {
    return this.#content.digest('hex');
  }

  async close(): Promise<void> {
    for (const file of this.#files()) await file.close();
  }

  #files(): TextFile[] {
    return [this.rows, ...Object.values(this.#splits)];
  }
}

/** The files by the names that they will have once the folder is published. */
export async function filesOf(
  folder: string,
  published: string,
  dataFolder: string,
  counts: Readonly<Record<Split, number>>,
): Promise<VersionFiles> {
  const named = async (name: string): Promise<StoredFile> => {
    const file = await storedFile(join(folder, name), dataFolder);
    return { ...file, path: relative(dataFolder, join(published, name)) };
  };
  const files: VersionFiles = { rows: await named('rows.jsonl') };
  for (const split of splits) if (counts[split] > 0) files[split] = await named(`${split}.jsonl`);
  return files;
}
