import type { Counts, Distribution, VersionReport, VersionStatistics, WarnedRow, WorstRow } from '../dataset-record.js';
import type { Finding } from '../quality/finding.js';
import { withoutPersonalData } from '../quality/personal/personal-data.js';
import { textOfRow } from '../training-row.js';
import type { VersionRow } from '../version-row.js';

const SHARES = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const LENGTHS = [0, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000, 1_000_000_000];
const WORST = 20;
const WARNED = 500;
const EXCERPT = 160;

const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;

class Spread {
  readonly #counts: number[];
  #sum = 0;
  count = 0;
  least = Number.POSITIVE_INFINITY;
  most = Number.NEGATIVE_INFINITY;

  constructor(private readonly bounds: readonly number[]) {
    this.#counts = Array.from({ length: bounds.length - 1 }, () => 0);
  }

  add(value: number): void {
    const bin = Math.min(
      this.bounds.findLastIndex((bound) => value >= bound),
      this.#counts.length - 1,
    );
    this.#counts[Math.max(0, bin)] = (this.#counts[Math.max(0, bin)] ?? 0) + 1;
    this.#sum += value;
    this.count += 1;
    this.least = Math.min(this.least, value);
    this.most = Math.max(this.most, value);
  }

  get mean(): number {
    return this.count === 0 ? 0 : rounded(this.#sum / this.count);
  }

  get distribution(): Distribution {
    return { bounds: [...this.bounds], counts: this.#counts, mean: this.mean };
  }
}

const count = (counts: Counts, name: unknown): void => {
  const key = typeof name === 'string' && name !== '' ? name : 'unknown';
  counts[key] = (counts[key] ?? 0) + 1;
};

const rank = { reject: 0, warn: 1, ok: 2 } as const;

/** The checks tell more than the original's formula. */
const goodness = ({ check_score, quality }: Pick<VersionRow, 'check_score' | 'quality'>): number =>
  check_score ?? quality;

const reasonsOf = (findings: readonly Finding[]): string[] =>
  findings
    .filter(({ verdict }) => verdict !== 'ok')
    .toSorted((a, b) => rank[a.verdict] - rank[b.verdict] || a.score - b.score)
    .map(({ check, reason }) => `${check}: ${reason}`);

/** Adds up what a version's rows are like, one row at a time. */
export class ReportBuilder {
  readonly #quality = new Spread(SHARES);
  readonly #relevance = new Spread(SHARES);
  readonly #checked = new Spread(SHARES);
  readonly #characters = new Spread(LENGTHS);
  readonly #checks = new Map<string, { sum: number; rows: number; warned: number }>();
  readonly #hashes = new Set<string>();
  readonly #counts = { domains: {}, document_types: {}, kinds: {}, sources: {} };
  readonly #splits = { train: 0, validation: 0, test: 0 };
  #worst: WorstRow[] = [];
  readonly #warned: WarnedRow[] = [];
  #warnings = 0;
  #duplicates = 0;
  #tokens = 0;
  #bytes = 0;

  add(row: VersionRow): void {
    const text = textOfRow(row.row);
    this.#quality.add(row.quality);
    this.#characters.add(text.length);
    if (row.check_score !== null) this.#checked.add(row.check_score);
    if (row.origin.relevance !== null) this.#relevance.add(row.origin.relevance);
    if (this.#hashes.has(row.hash)) this.#duplicates += 1;
    this.#hashes.add(row.hash);
    this.#tokens += row.tokens;
    this.#bytes += Buffer.byteLength(text);
    this.#splits[row.split] += 1;
    this.#countWords(row);
    for (const finding of row.findings) this.#check(finding);
    this.#warn(row);
    this.#rank(row, text);
  }

  get averages(): { quality: number; tokens: number } {
    return { quality: this.#quality.mean, tokens: this.#tokens };
  }

  get report(): VersionReport {
    const checks = [...this.#checks].map(([name, { sum, rows, warned }]) => [
      name,
      { mean: rounded(sum / rows), warned },
    ]);
    return {
      quality: this.#quality.distribution,
      check_score: this.#checked.count === 0 ? null : this.#checked.distribution,
      characters: this.#characters.distribution,
      relevance: this.#relevance.count === 0 ? null : this.#relevance.distribution,
      checks: Object.fromEntries(checks) as VersionReport['checks'],
      exact_duplicates: this.#duplicates,
      warned: { rows: this.#warnings, first: this.#warned },
      worst_rows: this.#worst,
    };
  }

  statistics(
    more: Pick<VersionStatistics, 'source_documents' | 'rows_read' | 'left_out' | 'signals' | 'warnings'>,
  ): VersionStatistics {
    const { count: rows, mean, least, most } = this.#quality;
    return {
      total_documents: rows,
      avg_quality_score: mean,
      average_quality_score: mean,
      min_quality_score: rows === 0 ? 0 : least,
      max_quality_score: rows === 0 ? 0 : most,
      avg_relevance_score: this.#relevance.count === 0 ? null : this.#relevance.mean,
      avg_check_score: this.#checked.count === 0 ? null : this.#checked.mean,
      total_tokens: this.#tokens,
      total_size_bytes: this.#bytes,
      ...this.#counts,
      splits: this.#splits,
      ...more,
    };
  }

  #countWords({ row, origin }: VersionRow): void {
    count(this.#counts.domains, origin.metadata['domain']);
    count(this.#counts.document_types, origin.metadata['document_type']);
    count(this.#counts.kinds, row.kind);
    count(this.#counts.sources, origin.source);
  }

  #check({ check, score, verdict }: Finding): void {
    const known = this.#checks.get(check) ?? { sum: 0, rows: 0, warned: 0 };
    known.sum += score;
    known.rows += 1;
    if (verdict === 'warn') known.warned += 1;
    this.#checks.set(check, known);
  }

  #warn({ ordinal, check_score, findings }: VersionRow): void {
    const reasons = reasonsOf(findings);
    if (reasons.length === 0) return;
    this.#warnings += 1;
    if (this.#warned.length < WARNED) this.#warned.push({ ordinal, check_score, reasons });
  }

  #rank(row: VersionRow, text: string): void {
    const last = this.#worst.at(-1);
    if (this.#worst.length === WORST && last && goodness(row) >= goodness(last)) return;
    const { ordinal, quality, check_score, origin } = row;
    const entry = {
      ordinal,
      quality,
      check_score,
      reasons: reasonsOf(row.findings),
      document_id: origin.documentId,
      chunk_id: origin.chunkId,
      excerpt: withoutPersonalData(text).slice(0, EXCERPT),
    };
    this.#worst = [...this.#worst, entry].toSorted((a, b) => goodness(a) - goodness(b)).slice(0, WORST);
  }
}
