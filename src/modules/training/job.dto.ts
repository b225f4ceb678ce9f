import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsIn, IsInt, IsOptional, IsString, Length, Max, MaxLength, Min } from 'class-validator';
import { CursorField, PageLimit, WholeField } from '../../kernel/query-fields.js';
import {
  shownStatuses,
  trainerTypes,
  trainingMethods,
  type ShownStatus,
  type TrainerType,
  type TrainingMethod,
} from './job-state.js';
import type { WaitingFor } from './waiting.js';

const HIGHEST = 5;

/** The original's clients send 1-10; everything above 5 is 5. */
const capped = ({ value }: { value: unknown }): unknown =>
  typeof value === 'number' && value > HIGHEST && value <= 10 ? HIGHEST : value;
const emptyIsMissing = ({ value }: { value: unknown }): unknown => (value === '' || value === null ? undefined : value);
const emptyIsNone = ({ value }: { value: unknown }): unknown => (value === '' ? null : value);

/** What may still be changed of a job: the priority while it waits, the tags always. */
export class ChangeJobDto {
  /** Free words to find the job by. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @MaxLength(100, { each: true })
  tags?: string[];

  /** 1 to 5, 5 first; 6 to 10 count as 5. */
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 10 })
  @IsOptional()
  @Transform(capped)
  @IsInt()
  @Min(1)
  @Max(HIGHEST)
  priority?: number;
}

export class CreateJobDto extends ChangeJobDto {
  /** How to train: `lora`, `qlora` (quantised base) or `continuous` (an adapter goes on). */
  @IsIn(trainerTypes, {
    message: ({ value }) =>
      `trainer_type: "${String(value)}" is not one of ${trainerTypes.join(', ')}` +
      (value === 'full_finetuning' ? '; full fine-tuning is not offered, lora with a high rank comes nearest' : ''),
  })
  trainer_type!: TrainerType;

  /** What to learn from: `supervised` (answers; default) or `dpo` (which of two answers is preferred). */
  @IsOptional()
  @Transform(emptyIsMissing)
  @IsIn(trainingMethods)
  method?: TrainingMethod;

  /** Adapter to train further: the id of a completed job, or a folder under the data folder or CLARA_MODEL_DIRS. */
  @IsOptional()
  @Transform(emptyIsMissing)
  @IsString()
  @MaxLength(1024)
  start_from?: string;

  /**
   * The training configuration, a YAML file under configs/.
   * @example "configs/lora_config.yaml"
   */
  @IsString()
  @Length(1, 1024)
  config_path!: string;

  /**
   * Data set file, or `dataset:<id>@<version>` (without a version: the newest completed one); empty or absent: the one
   * that the configuration names.
   */
  @IsOptional()
  @Transform(emptyIsNone)
  @IsString()
  @MaxLength(1024)
  dataset_path?: string | null;
}

export class CreateJobQuery {
  /** `true`: answer the resolved configuration and the memory estimate, and start nothing. */
  @IsOptional()
  @IsIn(['true', 'false', '1', '0', ''])
  dry_run?: string;

  get isDryRun(): boolean {
    return this.dry_run !== undefined && !['false', '0'].includes(this.dry_run);
  }
}

export class ListJobsQuery {
  @IsOptional()
  @Transform(emptyIsNone)
  @IsIn(shownStatuses)
  status?: ShownStatus | null;

  /** Jobs on a page, 1 to 1000; more is cut to 1000. */
  @PageLimit()
  limit: number = 100;

  /** Jobs to leave out at the front; `cursor` is quicker far down. */
  @WholeField(0, 100_000_000)
  offset?: number;

  /** `next_cursor` of the page before. */
  @CursorField()
  cursor?: string;
}

export class LogsQuery {
  /** Lines from the end, 1 to 10,000. */
  @ApiPropertyOptional({ type: 'integer' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(10_000)
  tail: number = 200;

  /** `true`: go on until the job has ended. */
  @IsOptional()
  @IsIn(['true', 'false', '1', '0', ''])
  follow?: string;

  /** Number of the attempt; the last one by default. */
  @ApiPropertyOptional({ type: 'integer' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  attempt?: number;
}

export class JobDto {
  job_id!: string;
  trainer_type!: TrainerType;
  method!: TrainingMethod;
  status!: ShownStatus;
  /** It stands as `pending` and waits for its resume. */
  paused!: boolean;
  config_path!: string;
  dataset_path!: string | null;
  /** Folder name under the data folder; the adapter lies in `<output_dir>/<job_id>`. */
  output_dir!: string | null;
  /** ISO 8601, UTC. */
  created_at!: string;
  started_at!: string | null;
  completed_at!: string | null;
  current_epoch!: number;
  total_epochs!: number;
  progress_percent!: number;
  current_step!: number;
  total_steps!: number;
  seconds_left!: number | null;
  adapter_path!: string | null;
  metrics!: Record<string, unknown> | null;
  error_message!: string | null;
  priority!: number;
  tags!: string[];
  created_by!: string;
  base_model!: string;
  /** Attempts so far; above 1 an earlier one was killed, stopped or ran out of memory. */
  attempt!: number;
  cancel_requested!: boolean;
  /** A running job saves, and is paused then. */
  pause_requested!: boolean;
  /** Place among the waiting jobs, from 1; null when it does not wait or is behind the first thousand. */
  queue_position!: number | null;
  /** What a waiting job waits for. */
  waiting_for!: WaitingFor | null;
}

export class JobReplyDto {
  success!: boolean;
  job_id!: string;
  status!: ShownStatus;
  message!: string;
  data!: JobDto;
}

export class JobListDto {
  jobs!: JobDto[];
  /** Jobs with the status asked for; all without one. */
  total_count!: number;
  /** pending (with the paused ones), queued and running. */
  active_count!: number;
  completed_count!: number;
  failed_count!: number;
  cancelled_count!: number;
  /** For `cursor` of the next page; null on the last. */
  next_cursor!: string | null;
}

export class CancelReplyDto {
  success!: boolean;
  message!: string;
  job_id!: string;
  status!: ShownStatus;
  cancel_requested!: boolean;
  cancelled_by!: string;
}

/** The compiler sees no type in a list that may have gaps. */
const curve = { type: 'array', items: { type: 'number', nullable: true } } as const;

export class LearningCurvesDto {
  steps!: number[];
  epochs!: number[];
  @ApiProperty(curve)
  train_loss!: (number | null)[];
  /** Evaluation loss at the same step, null where none was measured. */
  @ApiProperty(curve)
  val_loss!: (number | null)[];
  @ApiProperty(curve)
  train_accuracy!: (number | null)[];
  @ApiProperty(curve)
  val_accuracy!: (number | null)[];
  @ApiProperty(curve)
  learning_rate!: (number | null)[];
  /** Of dpo: beta times what the adapter prefers the preferred answers more than its reference does; else null. */
  @ApiProperty(curve)
  train_reward_margin!: (number | null)[];
  @ApiProperty(curve)
  val_reward_margin!: (number | null)[];
  /** Of dpo: share of the pairs with a margin above 0; else null. */
  @ApiProperty(curve)
  train_reward_accuracy!: (number | null)[];
  @ApiProperty(curve)
  val_reward_accuracy!: (number | null)[];
}

export class WorkerDto {
  id!: string;
  /** `running` or `idle`. */
  status!: 'running' | 'idle';
  current_job_id!: string | null;
  jobs_completed!: number;
  cpu_percent!: number;
  memory_mb!: number;
}

export class WorkersDto {
  active_workers!: number;
  max_workers!: number;
  workers!: WorkerDto[];
}

export class MemoryBytesDto {
  base_model!: number;
  adapter!: number;
  gradients!: number;
  optimizer!: number;
  activations!: number;
  logits!: number;
  overhead!: number;
  total!: number;
}

export class FitDto {
  device!: 'gpu' | 'cpu';
  available_bytes!: number | null;
  verdict!: 'fits' | 'tight' | 'does_not_fit' | 'unknown';
}

export class MemoryEstimateDto {
  parameters!: number;
  trainable_parameters!: number;
  /** Peak of one process, by what it is for. */
  bytes!: MemoryBytesDto;
  fits!: FitDto;
  notes!: string[];
}

export class EstimateDto {
  /** null where it cannot be told; `reason` says why and what to do. */
  estimate!: MemoryEstimateDto | null;
  reason!: string | null;
}

export class JobEstimateDto extends EstimateDto {
  success!: boolean;
  job_id!: string;
}

export class DryRunDto extends EstimateDto {
  success!: boolean;
  dry_run!: boolean;
  message!: string;
  warnings!: string[];
  /** What the trainer would be given. */
  config!: Record<string, unknown>;
}
