import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { languageOf } from '../../language/language-of.js';
import { assessRow } from './quality/assess-row.js';
import { checkRegistered } from './quality/duplicates.js';
import type { Finding } from './quality/finding.js';
import type { LanguageFound } from './quality/language.js';
import { checkLeakage, leaksOf, type SplitRow } from './quality/leakage.js';
import type { Signature } from './quality/min-hash.js';
import { NearDuplicates } from './quality/near-duplicates.js';
import { saveNearDuplicates } from './quality/near-duplicates-file.js';
import { contentHash, wordsOf } from './quality/normalised.js';
import { indexFile, RegisteredRows } from './registered-rows.store.js';
import {
  originalScore,
  RowQuality,
  type LateFindings,
  type RowAssessment,
  type RowContext,
  type WholeVersion,
} from './row-quality.js';
import { textOfRow, type TrainingRow } from './training-row.js';
import type { Split } from './version-row.js';

/** Of fewer words a language is guessed rather than known. */
const WORDS_THAT_TELL = 20;

function languageFound(text: string): LanguageFound {
  const code = languageOf(text);
  if (code === 'und') return { code: null, confidence: 0 };
  return { code, confidence: wordsOf(text).length >= WORDS_THAT_TELL ? 0.9 : 0.4 };
}

interface KeptRow {
  index: NearDuplicates;
  documentId: string | null;
}

interface LastRow extends KeptRow {
  hash: string;
  signature: Signature;
}

/** All checks of the rows of one version, which are compared with each other as they come. */
class VersionQuality extends RowQuality {
  readonly #texts = new Map<string, number>();
  /** By template: questions of several forms about one provision are no duplicates of each other. */
  readonly #indexes = new Map<string, NearDuplicates>();
  readonly #rows: KeptRow[] = [];
  #last: LastRow | undefined;

  constructor(
    private readonly registered: RegisteredRows,
    private readonly languages: readonly string[],
  ) {
    super();
  }

  assess(row: TrainingRow, { origin }: RowContext): RowAssessment {
    const text = textOfRow(row);
    const index = this.#indexOf(origin.madeBy?.['template'] ?? '');
    const signature = index.sign(text);
    const nearest = index.nearestTo(signature);
    const hash = contentHash(text);
    const { score, findings, keep } = assessRow(row, {
      language: languageFound(text),
      expectedLanguages: this.languages,
      terms: [],
      relevance: origin.relevance,
      exactDuplicateOf: this.#texts.get(hash)?.toString() ?? null,
      nearest,
      leak: null,
    });
    this.#last = { index, signature, hash, documentId: origin.documentId };
    const near = nearest && Number(nearest.id);
    return { score: originalScore(row, origin), checkScore: score, findings, keep, near };
  }

  override kept(ordinal: number): void {
    if (!this.#last) throw new Error('no row was assessed');
    const { index, signature, hash, documentId } = this.#last;
    index.putAll([{ id: String(ordinal), signature }]);
    this.#texts.set(hash, ordinal);
    this.#rows[ordinal] = { index, documentId };
  }

  override async settle(whole: WholeVersion): Promise<LateFindings> {
    const findings = new Map<number, Finding[]>();
    for (const leak of await leaksOf(() => this.#splitRows(whole.splitOf)))
      findings.set(Number(leak.id), [checkLeakage(leak)]);
    const { neighbours, warnings } = await this.registered.nearestTo([...this.#indexes.values()], whole);
    for (const [ordinal, neighbour] of neighbours)
      findings.set(ordinal, [...(findings.get(ordinal) ?? []), checkRegistered(neighbour)]);
    for (const [ordinal, found] of findings)
      if (found.some(({ verdict }) => verdict === 'reject')) this.#rows[ordinal]?.index.remove(String(ordinal));
    return { findings, warnings };
  }

  override async save(folder: string): Promise<void> {
    const all = new NearDuplicates();
    for (const [ordinal, { index }] of this.#rows.entries()) {
      const signature = index.signatureOf(String(ordinal));
      if (signature) all.putAll([{ id: String(ordinal), signature }]);
    }
    await saveNearDuplicates(all, join(folder, indexFile));
  }

  #indexOf(template: string): NearDuplicates {
    const index = this.#indexes.get(template) ?? new NearDuplicates();
    this.#indexes.set(template, index);
    return index;
  }

  *#splitRows(splitOf: (ordinal: number) => Split): Generator<SplitRow> {
    for (const [ordinal, { index, documentId }] of this.#rows.entries()) {
      const id = String(ordinal);
      const signature = index.signatureOf(id);
      if (signature) yield { id, split: splitOf(ordinal), signature, documentId };
    }
  }
}

/** Every check of every row: by itself, within its version, between the splits, and against the other datasets. */
@Injectable()
export class CheckedQuality extends RowQuality {
  constructor(
    private readonly registered: RegisteredRows,
    private readonly settings: Settings,
  ) {
    super();
  }

  override begin(): RowQuality {
    return new VersionQuality(this.registered, this.settings.datasets.languages);
  }

  assess(row: TrainingRow, context: RowContext): RowAssessment | Promise<RowAssessment> {
    return this.begin().assess(row, context);
  }
}
