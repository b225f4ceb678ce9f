import { join } from 'node:path';
import type { BuildProgress, Counts, VersionOptions } from '../dataset-record.js';
import { canonicalRow, rowHash } from '../formats/canonical-row.js';
import { jsonlRows } from '../formats/jsonl-rows.js';
import { TextFile } from '../formats/row-sink.js';
import type { Caller } from '../../security/principal.port.js';
import { withFindings } from '../quality/assess-row.js';
import type { LateFindings, RowAssessment, RowQuality } from '../row-quality.js';
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
  /** What gave no row at all, by reason, and what was seen on the way. */
  source: { leftOut: Counts; warnings: readonly string[] };
}

const told = (counts: Counts): string =>
  Object.entries(counts)
    .map(([reason, times]) => `${reason} (${times})`)
    .join(', ');

const words = (text: string): number => text.split(/\s+/).filter((word) => word !== '').length;

function reasonToLeaveOut({ keep, findings, score }: RowAssessment, minQuality: number): string | undefined {
  if (!keep) return findings.find(({ verdict }) => verdict === 'reject')?.check ?? 'quality';
  return score < minQuality ? `quality below ${minQuality}` : undefined;
}

/** The rows that go into a version, on disk until it is known on which side of the split each stands. */
export class CollectedRows {
  readonly leftOut: Counts = {};
  readonly warnings: string[] = [];
  /** Kept rows that were left out in the end, because another split gives them away. */
  #dropped = 0;
  #late: LateFindings['findings'] = new Map();
  #splitOf: (ordinal: number) => Split = () => 'train';
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
    return this.#places.length - this.#dropped;
  }

  /** Splits the rows and compares them with each other and with other datasets; once, before they are read. */
  async settle(caller: Caller): Promise<void> {
    const { datasetId, quality, signal, progress } = this.context;
    this.#splitOf = this.#splits();
    const { findings, warnings } = await quality.settle({ datasetId, caller, splitOf: this.#splitOf, signal });
    this.#late = findings;
    this.warnings.push(...warnings);
    for (const ordinal of findings.keys()) if (this.#rejectionOf(ordinal)) this.#dropped += 1;
    progress.rows_kept = this.count;
  }

  #rejectionOf(ordinal: number) {
    return this.#late.get(ordinal)?.find(({ verdict }) => verdict === 'reject');
  }

  /** The rows with their splits, in the order in which they came. */
  async *rows(): AsyncGenerator<VersionRow> {
    for await (const placed of jsonlRows(this.path, this.context.signal)) {
      if (!('value' in placed)) throw placed.problem;
      const row = placed.value as Omit<VersionRow, 'split'>;
      const rejection = this.#rejectionOf(row.ordinal);
      if (rejection) this.#leaveOut(rejection.check);
      else yield { ...this.#withLate(row), split: this.#splitOf(row.ordinal) };
    }
  }

  #withLate(row: Omit<VersionRow, 'split'>): Omit<VersionRow, 'split'> {
    const late = this.#late.get(row.ordinal);
    if (!late) return row;
    const { score, findings } = withFindings(row, late);
    return { ...row, check_score: score, findings };
  }

  #leaveOut(reason: string): void {
    this.leftOut[reason] = (this.leftOut[reason] ?? 0) + 1;
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
      this.#leaveOut(reason);
      return;
    }
    if (this.#places.length >= context.maxRows)
      throw new BuildFailure(
        `there are more than ${context.maxRows} rows; narrow the source, or raise CLARA_DATASET_MAX_ROWS`,
      );
    const kept = this.#kept(candidate, assessment);
    context.quality.kept(kept.ordinal);
    await file.write(`${JSON.stringify(kept)}\n`);
    progress.rows_kept = this.count;
  }

  #kept(candidate: Candidate, { score, checkScore, findings, near }: RowAssessment): Omit<VersionRow, 'split'> {
    const row = canonicalRow(candidate.row);
    const hash = rowHash(row);
    const ordinal = this.#places.length;
    this.#place(candidate, hash, near);
    const scores = { quality: score, check_score: checkScore, findings };
    return { ordinal, hash, row, origin: candidate.origin, ...scores, tokens: words(textOfRow(row)) };
  }

  /** Equal rows never stand on both sides, whatever they come from, nor do rows that are nearly the same. */
  #place({ document, part }: Candidate, hash: string, near: number | null): void {
    const { by } = this.context.options.split;
    const own = by === 'document' || part === null ? document : `${document}/${part}`;
    const equal = this.#groups.id(`row ${hash}`);
    if (own !== null) this.#groups.join(equal, this.#groups.id(`from ${own}`));
    const twin = near === null ? undefined : this.#places[near];
    if (twin !== undefined) this.#groups.join(equal, twin);
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
    const { leftOut, warnings } = this.context.source;
    const lost = told(leftOut);
    const why = warnings.slice(0, 1).map((warning) => `; ${warning}`);
    if (read === 0)
      throw new BuildFailure(
        `the source gave no row; ${lost === '' ? 'nothing in it makes a row of this form' : `left out: ${lost}`}${why.join('')}`,
      );
    throw new BuildFailure(
      `all ${read} rows were left out: ${told(this.leftOut)}; lower min_quality_score, or choose better sources`,
    );
  }
}
