import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Settings } from '../../config/settings.js';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { inTransaction, isDatabaseAway, rowsOf } from '../../kernel/transaction.js';
import { DatasetUse } from '../training/dataset-use.port.js';
import { IncomingFiles } from './upload/incoming-files.js';

const EVERY_MS = 300_000;
const FIRST_AFTER_MS = 30_000;
/** A job that was posted in the moment of the deletion is seen by then. */
const DELETED_SECONDS = 300;
const ABANDONED_SECONDS = 86_400;
const AT_ONCE = 100;
const KEYS_DAYS = 90;

/** Removes files and rows of deleted sets that no job needs, and what uploads left behind. */
@Injectable()
export class DatasetSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly source: DataSource,
    private readonly uses: DatasetUse,
    private readonly files: IncomingFiles,
    private readonly settings: Settings,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.#schedule(FIRST_AFTER_MS);
  }

  onApplicationShutdown(): void {
    clearTimeout(this.#timer);
  }

  /** One round. @returns sets that are gone for good now */
  async sweep(deletedSeconds = DELETED_SECONDS): Promise<number> {
    let purged = 0;
    for (const datasetId of await this.#deleted(deletedSeconds)) {
      if ((await this.uses.jobsUsing(datasetId, 1)).length > 0) continue;
      await rm(join(this.settings.folders.data, 'datasets', datasetId), { recursive: true, force: true });
      await this.#forget(datasetId);
      purged += 1;
    }
    await this.#clean();
    return purged;
  }

  /** A build that still runs ends first: it would write on. */
  async #deleted(seconds: number): Promise<string[]> {
    const rows = await rowsOf<{ dataset_id: string }>(
      this.source,
      `SELECT dataset_id FROM dataset_sets s WHERE deleted_at < now() - make_interval(secs => $1)
        AND NOT EXISTS (SELECT FROM dataset_versions v WHERE v.dataset_id = s.dataset_id AND v.state IN ('pending', 'processing'))
        ORDER BY deleted_at LIMIT $2`,
      [seconds, AT_ONCE],
    );
    return rows.map(({ dataset_id: datasetId }) => datasetId);
  }

  async #forget(datasetId: string): Promise<void> {
    await inTransaction(this.source, async (sql) => {
      await sql.query(
        'DELETE FROM dataset_rows WHERE build IN (SELECT build FROM dataset_versions WHERE dataset_id = $1)',
        [datasetId],
      );
      await sql.query('DELETE FROM dataset_sets WHERE dataset_id = $1', [datasetId]);
    });
  }

  async #clean(): Promise<void> {
    const wanted = await rowsOf<{ path: string }>(
      this.source,
      `SELECT source ->> 'path' AS path FROM dataset_versions WHERE state IN ('pending', 'processing') AND source ->> 'kind' = 'file'`,
    );
    await this.files.sweep(ABANDONED_SECONDS, new Set(wanted.map(({ path }) => path)));
    await this.source.query('DELETE FROM dataset_counts WHERE datasets = 0');
    await this.source.query(
      'DELETE FROM dataset_idempotency_keys WHERE created_at < now() - make_interval(days => $1)',
      [KEYS_DAYS],
    );
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(() => {
      void this.sweep()
        .catch((error: unknown) => {
          if (!isDatabaseAway(error)) this.log.error('the sweep of datasets failed', { error: messageOf(error) });
        })
        .finally(() => this.#schedule(EVERY_MS));
    }, ms);
    this.#timer.unref();
  }
}
