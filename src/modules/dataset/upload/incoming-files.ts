import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { AppError } from '../../../kernel/errors.js';
import { digestOf } from '../../../kernel/file-digest.js';
import { confine, PathError, type PathRules } from '../../../kernel/safe-path.js';
import { lookAtFile } from '../formats/file-kind.js';
import { RowProblem } from '../formats/row-problem.js';
import { TextFile } from '../formats/row-sink.js';

/** A file whose rows a version is made of. */
export interface IncomingFile {
  path: string;
  /** As its sender called it. */
  name: string;
  /** Taken in for this version, and removed with it. */
  own: boolean;
  sha256: string;
}

/** Files on their way into a version: uploads, rows of a body, and files on the server that a client names. */
@Injectable()
export class IncomingFiles {
  constructor(private readonly settings: Settings) {}

  get folder(): string {
    return join(this.settings.folders.data, 'datasets', '.incoming');
  }

  async #place(): Promise<string> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    return join(this.folder, randomUUID());
  }

  /** What was uploaded, durable and of a kind that is read. @throws AppError `invalid` */
  async uploaded(path: string, name: string): Promise<IncomingFile> {
    const file = await open(path, 'r');
    await file.sync().finally(() => file.close());
    await checkKind(path, 'file', name);
    return { path, name, own: true, sha256: (await digestOf(path)).sha256 };
  }

  /** Rows of a body, as a file. */
  async ofRows(rows: readonly unknown[]): Promise<IncomingFile> {
    const path = await this.#place();
    const file = await TextFile.create(path);
    try {
      for (const row of rows) await file.write(`${JSON.stringify(row)}\n`);
      await file.end();
    } finally {
      await file.close();
    }
    return { path, name: 'rows', own: true, sha256: (await digestOf(path)).sha256 };
  }

  /** A file in one of CLARA_DATASET_DIRS. @throws AppError `invalid` */
  async onServer(path: string): Promise<IncomingFile> {
    const real = await confine(path, this.#rules()).catch((error: unknown) => {
      if (!(error instanceof PathError)) throw error;
      throw refusal('upload.path', error.message);
    });
    await checkKind(real, 'upload.path', path);
    return { path: real, name: path, own: false, sha256: '' };
  }

  async remove(file: IncomingFile | undefined): Promise<void> {
    if (file?.own) await rm(file.path, { force: true });
  }

  /** Removes what is older than `seconds` and not in `wanted`: its request ended before it was recorded. */
  async sweep(seconds: number, wanted: ReadonlySet<string>): Promise<void> {
    const names = await readdir(this.folder).catch(() => []);
    for (const path of names.map((name) => join(this.folder, name)).filter((each) => !wanted.has(each))) {
      const age = await stat(path).then(
        ({ mtimeMs }) => Date.now() - mtimeMs,
        () => 0,
      );
      if (age > seconds * 1000) await rm(path, { force: true });
    }
  }

  #rules(): PathRules {
    const { root, folders } = this.settings;
    return {
      purpose: 'a file of rows',
      base: root,
      roots: folders.datasets,
      except: [folders.data],
      extensions: ['.jsonl', '.ndjson', '.json', '.csv', '.parquet', '.arrow', '.arrows', '.feather'],
    };
  }
}

const refusal = (path: string, message: string): AppError =>
  new AppError('invalid', `${path}: ${message}`, [{ path, message }]);

async function checkKind(path: string, field: string, name: string): Promise<void> {
  await lookAtFile(path).catch((error: unknown) => {
    throw error instanceof RowProblem ? refusal(field, `${name}: ${error.message}`) : error;
  });
}
