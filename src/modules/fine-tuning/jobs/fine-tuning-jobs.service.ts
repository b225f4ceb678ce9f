import { Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { Clock } from '../../../kernel/clock.js';
import { AppError } from '../../../kernel/errors.js';
import { AuditTrail } from '../../audit/audit.port.js';
import type { Caller } from '../../security/principal.port.js';
import { FineTuningJobs, type FineTuningJob } from '../../training/fine-tuning-jobs.port.js';
import { ownerOf } from '../files/files.service.js';
import { openAiList } from '../openai-list.js';
import { JobChecking } from './job-checking.service.js';
import { isJobId } from './job-ids.js';
import { jobObject, openAiStatus } from './job-object.js';
import type { FineTuningJobDto, FineTuningJobListDto, OpenAiStatus, PageQuery } from './job-object.dto.js';
import { JobResults } from './job-results.service.js';
import type { JobRow, JobRowState } from './job-row.js';
import { JobRowStore } from './job.store.js';
import type { MetadataFilter } from './metadata.js';

/** A job that saves before it ends or rests is waited for so long; then the answer says that it still runs. */
const SETTLED_MS = 20_000;
const LOOK_MS = 100;

type Change = 'cancel' | 'pause' | 'resume';

/** What each change makes of a job that has no training yet, and the status that it aims at. */
const changes: Record<Change, { from: JobRowState[]; to: JobRowState; aim: OpenAiStatus[] }> = {
  cancel: { from: ['validating', 'paused'], to: 'cancelled', aim: ['cancelled'] },
  pause: { from: ['validating'], to: 'paused', aim: ['paused'] },
  resume: { from: ['paused'], to: 'validating', aim: ['validating_files', 'queued', 'running'] },
};

/** The jobs of /v1/fine_tuning, as those who own them see and change them. */
@Injectable()
export class FineTuningJobsService {
  constructor(
    private readonly rows: JobRowStore,
    private readonly training: FineTuningJobs,
    private readonly results: JobResults,
    private readonly checking: JobChecking,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: Settings,
  ) {}

  async list({ after, limit }: PageQuery, metadata: MetadataFilter, caller: Caller): Promise<FineTuningJobListDto> {
    const owner = ownerOf(caller);
    const last = after === undefined ? undefined : await this.rows.find(after, owner);
    if (after !== undefined && !last)
      throw new AppError('bad_request', `after: there is no job ${after}`, [{ path: 'after', message: 'is no job' }]);
    const rows = await this.rows.page({ owner, limit, metadata }, last?.seq);
    const jobs = await this.training.findAll(rows.flatMap(({ job_id: jobId }) => jobId ?? []));
    const shown = rows.map((row) =>
      this.show(
        row,
        jobs.find(({ jobId }) => jobId === row.job_id),
      ),
    );
    return openAiList(await Promise.all(shown), limit);
  }

  async get(id: string, caller: Caller): Promise<FineTuningJobDto> {
    const { row, training } = await this.find(id, caller);
    return this.show(row, training);
  }

  /** Another's job is as unknown as none. @throws AppError `not_found` */
  async find(id: string, caller: Caller): Promise<{ row: JobRow; training: FineTuningJob | undefined }> {
    const row = isJobId(id) ? await this.rows.find(id, ownerOf(caller)) : undefined;
    if (!row)
      throw new AppError('not_found', `Could not find fine tune: ${id.slice(0, 100)}`, [
        { path: 'fine_tune_id', message: 'there is no such job', code: 'fine_tune_not_found' },
      ]);
    return { row, training: row.job_id === null ? undefined : await this.training.find(row.job_id) };
  }

  async show(row: JobRow, training?: FineTuningJob): Promise<FineTuningJobDto> {
    const { organisation: organization } = this.settings.adapters;
    return jobObject(await this.results.settled(row, training), training, { organization, now: this.clock.now() });
  }

  /** Answers when the job is what it was asked to become. @throws AppError `bad_request` where it has ended */
  async change(id: string, change: Change, caller: Caller): Promise<FineTuningJobDto> {
    const { row, training } = await this.find(id, caller);
    const { aim } = changes[change];
    const isThere = aim.includes(openAiStatus(row, training));
    if (!isThere || change === 'resume') await this.#ask(row, change, caller);
    return this.#settled(id, aim, caller);
  }

  async #ask(row: JobRow, change: Change, caller: Caller): Promise<void> {
    const { from, to } = changes[change];
    const target = { type: 'openai_job', id: row.id };
    const beside = (sql: Parameters<AuditTrail['record']>[0]) =>
      this.audit.record(sql, caller, { action: `openai.job.${change}`, target, outcome: 'done' });
    if (await this.rows.change(row.id, { from, to, beside })) return this.checking.wake();
    // Its files were found whole in this moment: from here on it is a matter of the training.
    const { row: now } = await this.find(row.id, caller);
    if (now.job_id === null) throw tooLate(row.id, change, openAiStatus(now, undefined));
    const { job_id: jobId } = now;
    await this.training[change](jobId, caller).catch(async (error: unknown) => {
      if (!(error instanceof AppError) || error.code !== 'conflict') throw error;
      throw tooLate(row.id, change, openAiStatus(now, await this.training.find(jobId)));
    });
  }

  async #settled(id: string, aim: readonly OpenAiStatus[], caller: Caller): Promise<FineTuningJobDto> {
    const deadline = this.clock.now() + SETTLED_MS;
    for (;;) {
      const job = await this.get(id, caller);
      const isSettled = aim.includes(job.status) || job.finished_at !== null;
      if (isSettled || this.clock.now() >= deadline) return job;
      await this.clock.sleep(LOOK_MS);
    }
  }
}

const tooLate = (id: string, change: Change, status: OpenAiStatus): AppError =>
  new AppError('bad_request', `Cannot ${change} the job ${id}: its status is ${status}`, [
    { path: 'fine_tune_id', message: `its status is ${status}`, code: 'invalid_status' },
  ]);
