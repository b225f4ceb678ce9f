import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BackgroundLoop } from '../../kernel/background-loop.js';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { rowsOf } from '../../kernel/transaction.js';
import { SettledDocuments } from '../documents/settled-documents.port.js';
import { ChunkedUploads } from './chunked-upload.service.js';
import { OriginalFiles } from './original-files.js';

const HOUR_MS = 3_600_000;
/** Files of failed uploads wait this long for somebody to try them again. */
const FAILED_DAYS = 30;

/** Removes files that belong to nothing any more: of removed documents, of uploads that were given up. */
@Injectable()
export class FileSweeper implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #loop: BackgroundLoop;
  #off: () => void = () => undefined;

  constructor(
    private readonly source: DataSource,
    private readonly originals: OriginalFiles,
    private readonly uploads: ChunkedUploads,
    private readonly settled: SettledDocuments,
    private readonly log: Log,
  ) {
    this.#loop = new BackgroundLoop('file sweeper', HOUR_MS, () => this.#sweep(), log);
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
    this.#off = this.settled.onRemoved((hashes) => {
      this.removeOriginals(hashes).catch((error: unknown) =>
        this.log.error('the file of a removed document stays', { error: messageOf(error) }),
      );
    });
  }

  onModuleDestroy(): Promise<void> {
    this.#off();
    return this.#loop.stop();
  }

  /** Those that no other document, and no file that waits, has the same bytes as. */
  async removeOriginals(hashes: readonly string[]): Promise<void> {
    const rows = await rowsOf<{ sha256: string }>(
      this.source,
      `SELECT DISTINCT sha256 FROM unnest($1::text[]) AS sha256
        WHERE EXISTS (SELECT FROM documents_version v WHERE v.sha256 = sha256.sha256)
          OR EXISTS (SELECT FROM ingestion_file f WHERE f.sha256 = sha256.sha256 AND f.status IN ('pending', 'processing'))`,
      [hashes],
    );
    const kept = new Set(rows.map(({ sha256 }) => sha256));
    for (const hash of hashes) if (!kept.has(hash)) await this.originals.remove(this.originals.originalPath(hash));
  }

  async #sweep(): Promise<void> {
    await this.uploads.sweep();
    await this.#sweepFailed();
    await this.#sweepStaging();
  }

  async #sweepFailed(): Promise<void> {
    const rows = await rowsOf<{ path: string | null }>(
      this.source,
      `UPDATE ingestion_file f SET path = NULL FROM ingestion_file old
        WHERE f.file_id = old.file_id AND f.status IN ('failed', 'blocked', 'cancelled') AND f.path IS NOT NULL
          AND f.updated_at < now() - make_interval(days => ${FAILED_DAYS}) RETURNING old.path`,
    );
    for (const { path } of rows) if (path !== null) await this.originals.remove(path);
  }

  /** What was left by an upload that broke off, or by a killed application. */
  async #sweepStaging(): Promise<void> {
    const folder = this.originals.stagingFolder;
    const names = await readdir(folder).catch(() => []);
    for (const name of names) {
      const path = join(folder, name);
      const { mtimeMs } = await stat(path);
      if (mtimeMs > Date.now() - HOUR_MS) continue;
      const used = await rowsOf(this.source, 'SELECT 1 FROM ingestion_file WHERE path = $1 OR path LIKE $2 LIMIT 1', [
        path,
        `${path}/%`,
      ]);
      if (used.length === 0) await this.originals.remove(path);
    }
  }
}
