import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, type ReadStream, type WriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { digesting } from '../../../kernel/file-digest.js';

const FOLDER = 'openai';
const FILES = join(FOLDER, 'files');

/** A file on its way in. */
export interface StagedFile {
  path: string;
  bytes: number;
  sha256: string;
}

/** The bytes of /v1/files, under names of our own: what a client calls a file is no part of a path. */
@Injectable()
export class FileFolder {
  constructor(private readonly settings: Settings) {}

  /** A place that only the present upload writes to. */
  async incoming(): Promise<{ path: string; stream: WriteStream }> {
    await mkdir(this.#incoming, { recursive: true, mode: 0o700 });
    const path = join(this.#incoming, randomUUID());
    return { path, stream: createWriteStream(path, { mode: 0o600, flags: 'wx' }) };
  }

  /** Writes what comes, hashed on the way; of what breaks off nothing stays. */
  async stage(source: Readable): Promise<StagedFile> {
    const { path, stream } = await this.incoming();
    const counted = digesting();
    try {
      await pipeline(source, counted.stream, stream);
      return { path, ...counted.result() };
    } catch (error) {
      await this.remove(path);
      throw error;
    }
  }

  /** Makes a staged file durable under the id. @returns its path under the data folder; the trainer reads it by its ending */
  async keep({ path }: StagedFile, id: string): Promise<string> {
    const file = await open(path, 'r');
    await file.sync().finally(() => file.close());
    await mkdir(join(this.settings.folders.data, FILES), { recursive: true, mode: 0o700 });
    const kept = join(FILES, `${id}.jsonl`);
    await rename(path, this.whole(kept));
    return kept;
  }

  whole(path: string): string {
    return join(this.settings.folders.data, path);
  }

  read(path: string): ReadStream {
    return createReadStream(this.whole(path));
  }

  /** Removes a file by its whole path; one that is gone already is gone. */
  async remove(path: string): Promise<void> {
    await rm(path, { force: true });
  }

  /** Whole paths of what has lain here for `seconds`: uploads that were broken off, and kept files by their ids. */
  async older(seconds: number): Promise<{ abandoned: string[]; kept: Map<string, string> }> {
    const [abandoned, files] = await Promise.all([
      aged(this.#incoming, seconds),
      aged(join(this.settings.folders.data, FILES), seconds),
    ]);
    return { abandoned, kept: new Map(files.map((path) => [idOf(path), path])) };
  }

  get #incoming(): string {
    return join(this.settings.folders.data, FOLDER, 'incoming');
  }
}

const idOf = (path: string): string => /([^/\\]+)\.jsonl$/.exec(path)?.[1] ?? '';

async function aged(folder: string, seconds: number): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const ages = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const since = await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => Date.now(),
      );
      return { path, age: Date.now() - since };
    }),
  );
  return ages.filter(({ age }) => age >= seconds * 1000).map(({ path }) => path);
}
