import type { JobDto, JobReplyDto } from './job.dto.js';
import type { JobEntity } from './job.entity.js';
import { shownStatus } from './job-state.js';
import { waitingFor, type WaitingFor } from './waiting.js';

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

/** A job as the API shows it; pure. */
export function jobView(
  job: JobEntity,
  position: number | undefined,
  bottleneck: WaitingFor | undefined,
  now: number,
): JobDto {
  return {
    job_id: job.job_id,
    trainer_type: job.trainer_type,
    method: job.method,
    status: shownStatus(job.status),
    paused: job.status === 'paused',
    config_path: job.config_path,
    dataset_path: job.dataset_path,
    output_dir: job.output_dir,
    created_at: job.created_at.toISOString(),
    started_at: iso(job.started_at),
    completed_at: iso(job.completed_at),
    current_epoch: job.current_epoch,
    total_epochs: job.total_epochs,
    progress_percent: job.progress_percent,
    current_step: job.current_step,
    total_steps: job.total_steps,
    seconds_left: job.seconds_left,
    adapter_path: job.adapter_path,
    metrics: job.metrics,
    error_message: job.error_message,
    priority: job.priority,
    tags: job.tags,
    created_by: job.created_by,
    base_model: job.base_model,
    attempt: job.attempt,
    pause_requested: job.status === 'running' && job.pause_requested_at !== null,
    cancel_requested: job.cancel_requested_at !== null,
    queue_position: position ?? null,
    waiting_for: waitingFor(job, bottleneck, now),
  };
}

export const jobReply = (data: JobDto, message: string): JobReplyDto => ({
  success: true,
  job_id: data.job_id,
  status: data.status,
  message,
  data,
});
