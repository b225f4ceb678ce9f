import { randomUUID } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { access, copyFile, mkdir, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { AppError } from '../../kernel/errors.js';
import { digestOf } from '../../kernel/file-digest.js';

export interface StagedFile {
  path: string;
  bytes: number;
  sha256: string;
}

const mb = (bytes: number): number => Math.floor(bytes / 1024 / 1024);

const HEX = /^[0-9a-f]{64}$/;

/** The files themselves: staged while they come in, then kept under the hash of their bytes. Names of users are no part of a path. */
@Injectable()
export class OriginalFiles {
  readonly #root: string;

  constructor(private readonly settings: Settings) {
    this.#root = join(settings.folders.data, 'documents');
  }

  get stagingFolder(): string {
    return join(this.#root, 'staging');
  }

  /** A place of its own for something that comes in. */
  async stagingPath(): Promise<string> {
    await mkdir(this.stagingFolder, { recursive: true, mode: 0o700 });
    return join(this.stagingFolder, randomUUID());
  }

  /** Where bytes of this hash are kept. */
  originalPath(sha256: string): string {
    if (!HEX.test(sha256)) throw new Error(`"${sha256}" is no SHA-256`);
    return join(this.#root, 'originals', sha256.slice(0, 2), sha256);
  }

  /** Keeps a staged file for good; again, or after another upload of the same bytes: the same. */
  async keep({ path, sha256 }: Pick<StagedFile, 'path' | 'sha256'>): Promise<string> {
    const original = this.originalPath(sha256);
    if (path === original) return original;
    await mkdir(dirname(original), { recursive: true, mode: 0o700 });
    await rename(path, original).catch(async (error: NodeJS.ErrnoException) => {
      // Moved already, by a try that was killed right after it.
      if (error.code !== 'ENOENT') throw error;
      await access(original);
    });
    return original;
  }

  /** Where the bytes of a file are now; null where they are gone. */
  async locate(path: string | null, sha256: string): Promise<string | null> {
    for (const candidate of [path, this.originalPath(sha256)])
      if (candidate !== null && (await exists(candidate))) return candidate;
    return null;
  }

  async remove(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true });
  }

  /** Copies a file of this host in. @throws AppError `too_large` */
  async copyIn(source: string): Promise<StagedFile> {
    const path = await this.stagingPath();
    try {
      await copyFile(source, path);
      return { path, ...(await digestOf(path)) };
    } catch (error) {
      await this.remove(path);
      throw error;
    }
  }

  /** A stream into the staging folder; the caller removes what it does not use. */
  async open(): Promise<{ path: string; stream: WriteStream }> {
    const path = await this.stagingPath();
    return { path, stream: createWriteStream(path, { mode: 0o600, flags: 'wx' }) };
  }

  /** @throws AppError `insufficient_storage` where `bytes` more would leave less than the free space that must stay */
  async mustHaveRoom(bytes: number): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    const { bavail, bsize } = await statfs(this.#root);
    const free = bavail * bsize;
    const { minFreeDiskBytes } = this.settings.training;
    if (free - bytes >= minFreeDiskBytes) return;
    throw new AppError(
      'insufficient_storage',
      `The data folder has ${mb(free)} MB free; ${mb(bytes)} MB more would leave less than CLARA_MIN_FREE_DISK_MB (${mb(minFreeDiskBytes)})`,
    );
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
