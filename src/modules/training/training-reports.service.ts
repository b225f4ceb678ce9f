import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Settings } from '../../config/settings.js';
import { rowsOf } from '../../kernel/transaction.js';
import { Host } from './host.js';
import { JobAccess } from './job-access.service.js';
import type { LearningCurvesDto, WorkerDto, WorkersDto } from './job.dto.js';
import type { JobEntity } from './job.entity.js';
import { JobStore } from './job.store.js';
import { Launcher } from './launcher.port.js';
import { learningCurves, type CurvePoint } from './learning-curves.js';
import { RunFolder } from './run-folder.js';

const MEGABYTE = 1024 * 1024;

/** Learning curves, and what the slots of this host do. */
@Injectable()
export class TrainingReports {
  constructor(
    private readonly access: JobAccess,
    private readonly jobs: JobStore,
    private readonly source: DataSource,
    private readonly launcher: Launcher,
    private readonly host: Host,
    private readonly settings: Settings,
  ) {}

  async curves(jobId: string): Promise<LearningCurvesDto> {
    await this.access.find(jobId);
    const points = await rowsOf<CurvePoint>(
      this.source,
      `SELECT type, step, data - 'job' AS data FROM training_job_events
        WHERE job_id = $1 AND type IN ('progress', 'metric') ORDER BY number`,
      [jobId],
    );
    return learningCurves(points);
  }

  async workers(): Promise<WorkersDto> {
    const [running, completed] = await Promise.all([
      this.jobs.running(this.host.hostId),
      this.jobs.completedBySlot(this.host.hostId),
    ]);
    const slots = Array.from({ length: this.settings.training.maxConcurrentJobs }, (_, slot) => slot);
    const workers = await Promise.all(
      slots.map((slot) =>
        this.#worker(
          slot,
          running.find((job) => job.slot === slot),
          completed.get(slot) ?? 0,
        ),
      ),
    );
    return { active_workers: running.length, max_workers: slots.length, workers };
  }

  async #worker(slot: number, job: JobEntity | undefined, completed: number): Promise<WorkerDto> {
    const usage = job?.run_dir
      ? await this.launcher.usage(new RunFolder(job.run_dir)).catch(() => undefined)
      : undefined;
    return {
      id: `${this.host.hostname}-${slot}`,
      status: job ? 'running' : 'idle',
      current_job_id: job?.job_id ?? null,
      jobs_completed: completed,
      cpu_percent: Math.round((usage?.cpuPercent ?? 0) * 10) / 10,
      memory_mb: Math.round((usage?.memoryBytes ?? 0) / MEGABYTE),
    };
  }
}
