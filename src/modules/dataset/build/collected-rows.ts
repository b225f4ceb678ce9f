import { join } from 'node:path';
import type { BuildProgress, Counts, VersionOptions } from '../dataset-record.js';
import { canonicalRow, rowHash } from '../formats/canonical-row.js';
import { jsonlRows } from '../formats/jsonl-rows.js';
import { TextFile } from '../formats/row-sink.js';
import type { RowAssessment, RowQuality } from '../row-quality.js';
import { BuildFailure, type Candidate } from '../sources/candidate.js';
import { Groups, splitGroups } from '../split-groups.js';
import { textOfRow } from '../training-row.js';
import type { Split, VersionRow } from '../version-row.js';

export interface CollectContext {
  datasetId: string;
  version: number;
  options: VersionOptions;
  quality: RowQuality;
  maxRows: number;
  progress: BuildProgress;
  signal: AbortSignal;
}

const words = (text: string): number => text.split(/\s+/).filter((word) => word !== '').length;

function reasonToLeaveOut({ keep, findings, score }: RowAssessment, minQuality: number): string | undefined {
  if (!keep) return findings.find(({ verdict }) => verdict === 'fail')?.check ?? 'quality';
  return score < minQuality ? `quality below ${minQuality}` : undefined;
}

/** The rows that go into a version, on disk until it is known on which side of the split each stands. */
export class CollectedRows {
  readonly leftOut: Counts = {};
  readonly #groups = new Groups();
  /** Of each kept row: its group, and the group of rows equal to it. */
  readonly #places: number[] = [];
  readonly #names = new Map<number, string>();

  private constructor(
    private readonly path: string,
    private readonly context: CollectContext,
  ) {}

  /** @throws BuildFailure where no row is left */
  static async collect(
    candidates: AsyncIterable<Candidate>,
    folder: string,
    context: CollectContext,
  ): Promise<CollectedRows> {
    const rows = new CollectedRows(join(folder, 'candidates.jsonl'), context);
    const file = await TextFile.create(rows.path);
    try {
      for await (const candidate of candidates) await rows.#take(candidate, file);
      await file.end();
    } finally {
      await file.close();
    }
    rows.#checkCount();
    return rows;
  }

  get count(): number {
    return this.#places.length;
  }

  /** The rows with their splits, in the order in which they came. */
  async *rows(): AsyncGenerator<VersionRow> {
    const splits = this.#splits();
    for await (const placed of jsonlRows(this.path, this.context.signal)) {
      if (!('value' in placed)) throw placed.problem;
      const row = placed.value as Omit<VersionRow, 'split'>;
      yield { ...row, split: splits(row.ordinal) };
    }
  }

  /** Groups that could stand on different sides. */
  get groups(): number {
    return new Set(this.#places.map((id) => this.#groups.root(id))).size;
  }

  async #take(candidate: Candidate, file: TextFile): Promise<void> {
    const { context } = this;
    context.signal.throwIfAborted();
    const { datasetId, version, options, progress } = context;
    const about = { origin: candidate.origin, datasetId, version, ordinal: progress.rows_read };
    progress.rows_read += 1;
    const assessment = await context.quality.assess(candidate.row, about);
    const reason = reasonToLeaveOut(assessment, options.minQuality);
    if (reason !== undefined) {
      this.leftOut[reason] = (this.leftOut[reason] ?? 0) + 1;
      return;
    }
    if (this.count >= context.maxRows)
      throw new BuildFailure(
        `there are more than ${context.maxRows} rows; narrow the source, or raise CLARA_DATASET_MAX_ROWS`,
      );
    await file.write(`${JSON.stringify(this.#kept(candidate, assessment))}\n`);
    progress.rows_kept = this.count;
  }

  #kept(candidate: Candidate, { score, findings }: RowAssessment): Omit<VersionRow, 'split'> {
    const row = canonicalRow(candidate.row);
    const hash = rowHash(row);
    const ordinal = this.count;
    this.#place(candidate, hash);
    return { ordinal, hash, row, origin: candidate.origin, quality: score, findings, tokens: words(textOfRow(row)) };
  }

  /** Equal rows never stand on both sides, whatever they come from. */
  #place({ document, part }: Candidate, hash: string): void {
    const { by } = this.context.options.split;
    const own = by === 'document' || part === null ? document : `${document}/${part}`;
    const equal = this.#groups.id(`row ${hash}`);
    if (own !== null) this.#groups.join(equal, this.#groups.id(`from ${own}`));
    this.#places.push(equal);
    if (!this.#names.has(equal)) this.#names.set(equal, own ?? hash);
  }

  #splits(): (ordinal: number) => Split {
    const sizes = new Map<number, { name: string; rows: number }>();
    for (const id of this.#places) {
      const root = this.#groups.root(id);
      const name = this.#names.get(id) ?? '';
      const known = sizes.get(root);
      sizes.set(root, { name: known && known.name < name ? known.name : name, rows: (known?.rows ?? 0) + 1 });
    }
    const splits = splitGroups([...sizes.values()], this.context.options.split);
    return (ordinal) => splits.get(sizes.get(this.#groups.root(this.#places[ordinal] ?? 0))?.name ?? '') ?? 'train';
  }

  #checkCount(): void {
    if (this.count > 0) return;
    const { rows_read: read } = this.context.progress;
    if (read === 0) throw new BuildFailure('the source gave no row; nothing in it makes a row of this form');
    const reasons = Object.entries(this.leftOut).map(([reason, rows]) => `${reason} (${rows})`);
    throw new BuildFailure(
      `all ${read} rows were left out: ${reasons.join(', ')}; lower min_quality_score, or choose better sources`,
    );
  }
}
