import { once } from 'node:events';
import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { AppError, messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import type { Caller } from '../security/principal.port.js';
import { BuildSources } from './build-sources.js';
import type { CreateDatasetDto } from './create-dataset.dto.js';
import { attachment, percentEncoded } from './disposition.js';
import { safeName } from './exporting/export-file.js';
import { exportRow } from './formats/export-row.js';
import { rowHash } from './formats/canonical-row.js';
import { BuildFailure, SourceNotes, type Candidate } from './sources/candidate.js';
import { candidatesOf } from './sources/candidates-of.js';
import { invalid } from './invalid.js';
import { checkOneSource, planVersion, type VersionPlan } from './version-plan.js';

const LONGEST_MS = 30 * 60_000;
const SHOWN_QUERY = 200;

/** Rows as NDJSON while they are found, without a dataset being made. */
@Injectable()
export class DatasetStream {
  constructor(
    private readonly sources: BuildSources,
    private readonly log: Log,
  ) {}

  /** Answers once the first row is there, so that what keeps it from being found is a status. */
  async send(request: CreateDatasetDto, caller: Caller, response: Response): Promise<void> {
    const plan = this.#plan(request);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const notes = new SourceNotes();
    const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(LONGEST_MS)]);
    const lines = this.#lines(plan, { caller, notes, signal });
    const first = await lines.next().catch((error: unknown) => refusalOf(error, notes));
    response.set({
      'Content-Type': 'application/x-ndjson; charset=utf-8',
      'Content-Disposition': attachment(`${safeName(request.name)}.jsonl`),
      'X-Dataset-Name': percentEncoded(request.name),
      'X-Query-Text': percentEncoded(
        Array.from(plan.queryText ?? '')
          .slice(0, SHOWN_QUERY)
          .join(''),
      ),
    });
    if (!first.done) await written(response, first.value, signal);
    await this.#rest(lines, response, signal);
  }

  #plan(request: CreateDatasetDto): VersionPlan {
    const { upload, rows, ...sources } = request;
    if (upload ?? rows)
      throw new AppError('invalid', 'search_query: is missing; only searches and documents are streamed');
    checkOneSource(sources, 'without a file');
    if (request.questions?.by === 'model')
      throw invalid([{ path: 'questions.by', message: 'a stream has questions by templates only; make a dataset' }]);
    return planVersion(request, undefined, null);
  }

  /** A break in the middle cannot be a status any more: it is the last line. */
  async #rest(lines: AsyncGenerator<string>, response: Response, signal: AbortSignal): Promise<void> {
    try {
      for await (const line of lines) await written(response, line, signal);
    } catch (error) {
      if (signal.aborted && response.destroyed) return;
      const isTold = error instanceof BuildFailure || error instanceof AppError;
      if (!isTold) this.log.error('a stream of rows broke', { error: messageOf(error) });
      const message = isTold ? error.message : 'something went wrong here; the log has the details';
      response.write(`${JSON.stringify({ error: 'stream_broken', message })}\n`);
    }
    response.end();
  }

  async *#lines(
    { source, options }: VersionPlan,
    { caller, notes, signal }: { caller: Caller; notes: SourceNotes; signal: AbortSignal },
  ): AsyncGenerator<string> {
    const { search, documents, quality } = this.sources;
    const tools = { search, documents, caller, notes, signal, rowForm: options.rowForm, writing: undefined };
    const judge = quality.begin();
    let ordinal = 0;
    for await (const candidate of candidatesOf(source, tools)) {
      const { row, origin } = candidate;
      const { keep, score } = await judge.assess(row, { origin, datasetId: '', version: 0, ordinal });
      if (!keep || score < options.minQuality) continue;
      judge.kept(ordinal);
      yield `${JSON.stringify(lineOf(candidate, ordinal, score))}\n`;
      ordinal += 1;
    }
  }
}

const lineOf = ({ row, origin }: Candidate, ordinal: number, quality: number) =>
  exportRow(
    { ordinal, split: 'train', hash: rowHash(row), row, origin, quality, check_score: null, findings: [], tokens: 0 },
    'jsonl',
    'with metadata',
  )[0];

/** Waits for a slow reader; one that is gone ends the wait. */
async function written(response: Response, line: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!response.write(line)) await once(response, 'drain', { signal });
}

/** Nothing was found: 503 where nobody could look, else an empty stream. */
function refusalOf(error: unknown, { signals }: SourceNotes): IteratorResult<string> {
  if (!(error instanceof BuildFailure)) throw error;
  const states = Object.values(signals);
  if (states.length > 0 && states.every((state) => state !== 'ok')) throw new AppError('unavailable', error.message);
  if (states.length === 0) throw new AppError('invalid', error.message);
  return { done: true, value: undefined };
}
