import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Settings } from '../../config/settings.js';
import { rowsOf } from '../../kernel/transaction.js';
import { readerKeysOf } from '../documents/readers.port.js';
import { VersionFolder } from './build/version-folder.js';
import { IndexFileError, keptDocuments } from './quality/near-duplicates-file.js';
import type { NearDuplicates, Neighbour } from './quality/near-duplicates.js';
import type { WholeVersion } from './row-quality.js';

/** In the folder of a version: the signatures of its rows. Written once, with the version, so nobody shares a file to write. */
export const indexFile = 'near.idx';

const SETS_AT_ONCE = 500;
const MOST_SETS = 20_000;
const ROWS_AT_ONCE = 500;

interface RegisteredVersion {
  dataset_id: string;
  number: number;
  rows: number;
  seq: number;
}

export interface RegisteredNeighbours {
  /** By the ordinal of the row that is compared. */
  neighbours: Map<number, Neighbour>;
  warnings: string[];
}

/** The rows of the newest completed version of every other dataset that somebody may read, by their signatures. */
@Injectable()
export class RegisteredRows {
  constructor(
    private readonly source: DataSource,
    private readonly settings: Settings,
  ) {}

  /**
   * The registered rows that are nearly the same as rows of the indexes, whose names are ordinals. The newest datasets
   * first, up to CLARA_DATASET_COMPARED_ROWS rows; a piece of 4 MiB is in memory at a time.
   */
  async nearestTo(indexes: readonly NearDuplicates[], whole: WholeVersion): Promise<RegisteredNeighbours> {
    const neighbours = new Map<number, Neighbour>();
    let [left, missing, skipped] = [this.settings.datasets.comparedRows, 0, 0];
    for await (const version of this.#versions(whole)) {
      if (version.rows > left) {
        skipped += 1;
        continue;
      }
      left -= version.rows;
      if (!(await this.#compare(version, { indexes, neighbours, signal: whole.signal }))) missing += 1;
    }
    const warnings = [
      ...(skipped > 0
        ? [`${skipped} older or larger datasets were not compared: CLARA_DATASET_COMPARED_ROWS is the limit`]
        : []),
      ...(missing > 0 ? [`${missing} datasets were not compared: their signatures are not on this host`] : []),
    ];
    return { neighbours, warnings };
  }

  async *#versions({ datasetId, caller }: WholeVersion): AsyncGenerator<RegisteredVersion> {
    const keys = readerKeysOf(caller);
    let before: number | null = null;
    for (let seen = 0; seen < MOST_SETS;) {
      const page: RegisteredVersion[] = await rowsOf<RegisteredVersion>(
        this.source,
        `SELECT s.dataset_id, v.number, v.rows, s.seq FROM dataset_sets s
          JOIN dataset_versions v ON v.dataset_id = s.dataset_id AND v.number = s.latest_completed
          WHERE s.deleted_at IS NULL AND s.dataset_id <> $1 AND ($4::bigint IS NULL OR s.seq < $4)
            AND ($3::text[] IS NULL OR s.owner = $2 OR s.readers && $3)
          ORDER BY s.seq DESC LIMIT $5`,
        [datasetId, caller.subject, keys, before, SETS_AT_ONCE],
      );
      yield* page;
      seen += page.length;
      before = page.at(-1)?.seq ?? null;
      if (page.length < SETS_AT_ONCE) return;
    }
  }

  /** @returns false: the signatures are not here */
  async #compare(
    { dataset_id: datasetId, number }: RegisteredVersion,
    { indexes, neighbours, signal }: Comparison,
  ): Promise<boolean> {
    const path = join(VersionFolder.of(this.settings.folders.data, datasetId, number).path, indexFile);
    const decoder = new TextDecoder();
    let compared = 0;
    try {
      for await (const { name, signature } of keptDocuments(path)) {
        const found = indexes.map((index) => index.nearestTo(signature)).filter((near) => near !== null);
        const id = found.length === 0 ? '' : `row ${decoder.decode(name)} of dataset:${datasetId}@${number}`;
        for (const near of found) noteNearest(neighbours, Number(near.id), { id, jaccard: near.jaccard });
        compared += 1;
        if (compared % ROWS_AT_ONCE === 0) await setImmediate();
        signal.throwIfAborted();
      }
      return true;
    } catch (error) {
      if (error instanceof IndexFileError || (error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }
}

function noteNearest(neighbours: Map<number, Neighbour>, ordinal: number, neighbour: Neighbour): void {
  const known = neighbours.get(ordinal);
  if (!known || known.jaccard < neighbour.jaccard) neighbours.set(ordinal, neighbour);
}

interface Comparison {
  indexes: readonly NearDuplicates[];
  neighbours: Map<number, Neighbour>;
  signal: AbortSignal;
}
