import { Readable } from 'node:stream';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BackgroundLoop } from '../../../kernel/background-loop.js';
import { messageOf } from '../../../kernel/errors.js';
import { Log } from '../../../kernel/log.js';
import { CheckpointVersions } from '../../adapters/checkpoint-versions.port.js';
import { isDatabaseAway } from '../../../kernel/transaction.js';
import { AdapterVersions } from '../../adapters/adapter-versions.port.js';
import { FineTuningJobs, type FineTuningEvent, type FineTuningJob } from '../../training/fine-tuning-jobs.port.js';
import { FileFolder } from '../files/file-folder.js';
import { DataFolder } from '../../../config/data-folder.js';
import type { NewFile } from '../files/file.store.js';
import { checkpointMetrics } from './job-events.js';
import { resultFileId } from './job-ids.js';
import type { JobRow } from './job-row.js';
import { JobRowStore } from './job.store.js';
import { resultCsv } from './result-csv.js';

const EVERY_MS = 5000;
const AT_ONCE = 200;
const EVENTS_AT_ONCE = 1000;
/** Of a job; the rest of a longer one is left out of its results. */
const MOST_PAGES = 500;
const KEYS_DAYS = 90;

const isOver = ({ status }: FineTuningJob): boolean => ['completed', 'failed', 'cancelled'].includes(status);

/** Writes down how training jobs ended: the model's name and the file of results. */
@Injectable()
export class JobResults implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #loop: BackgroundLoop;

  constructor(
    private readonly rows: JobRowStore,
    private readonly training: FineTuningJobs,
    private readonly versions: AdapterVersions,
    private readonly checkpoints: CheckpointVersions,
    private readonly folder: FileFolder,
    private readonly place: DataFolder,
    private readonly log: Log,
  ) {
    this.#loop = new BackgroundLoop('openai results', EVERY_MS, () => this.#round(), log);
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#loop.stop();
  }

  /** The row with what its ended training made; whoever looks first after the end writes it down. */
  async settled(row: JobRow, training: FineTuningJob | undefined): Promise<JobRow> {
    if (!training || !isOver(training)) return row;
    const lacksResults = training.status === 'completed' && row.result_file === null;
    if (row.ended_at !== null && !lacksResults) return row;
    const results = lacksResults ? await this.#file(row, training.jobId) : null;
    const fineTunedModel = training.status === 'completed' ? await this.#model(training.jobId) : null;
    const endedAt = training.completedAt ?? row.created_at;
    return (await this.rows.end(row.id, { endedAt, fineTunedModel, results })) ?? row;
  }

  /** The `ft:` id of what the job made; each of its checkpoints is a model too from now on. */
  async #model(jobId: string): Promise<string | null> {
    const version = await this.versions.ofJob(jobId);
    if (!version) return null;
    for (const { step, path, metrics } of await this.training.checkpoints(jobId)) {
      const register = this.checkpoints.register({ jobId, step, path, metrics: checkpointMetrics(metrics) });
      await register.catch((error: unknown) => {
        if (isDatabaseAway(error)) throw error;
        this.log.warn('a checkpoint could not be registered', { job: jobId, step, error: messageOf(error) });
      });
    }
    return version.model_id;
  }

  async #round(): Promise<void> {
    const place = await this.place.id();
    await this.rows.forgetKeys(KEYS_DAYS);
    for (let behind = 0; ;) {
      const rows = await this.rows.open(place, AT_ONCE, behind);
      const jobs = await this.training.findAll(rows.flatMap(({ job_id: jobId }) => jobId ?? []));
      for (const row of rows)
        await this.settled(
          row,
          jobs.find(({ jobId }) => jobId === row.job_id),
        );
      behind = rows.at(-1)?.seq ?? behind;
      if (rows.length < AT_ONCE) return;
    }
  }

  /** Writing it twice makes the same file. */
  async #file(row: JobRow, jobId: string): Promise<NewFile> {
    const staged = await this.folder.stage(Readable.from([Buffer.from(resultCsv(await this.#events(jobId)))]));
    const id = resultFileId(row.id);
    return {
      id,
      path: await this.folder.keep(staged, id),
      sha256: staged.sha256,
      bytes: staged.bytes,
      filename: 'step_metrics.csv',
      purpose: 'fine-tune-results',
      created_by: row.created_by,
      expiresInSeconds: null,
    };
  }

  async #events(jobId: string): Promise<FineTuningEvent[]> {
    const all: FineTuningEvent[] = [];
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const before = all.at(-1)?.number;
      const events = await this.training.events(jobId, {
        limit: EVENTS_AT_ONCE,
        ...(before === undefined ? {} : { before }),
      });
      all.push(...events);
      if (events.length < EVENTS_AT_ONCE) break;
    }
    return all.toReversed();
  }
}
