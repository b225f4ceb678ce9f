import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { PageLimit } from '../../../kernel/query-fields.js';
import { AfterField } from '../openai-list.js';

export const openAiStatuses = [
  'validating_files',
  'queued',
  'running',
  'paused',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export type OpenAiStatus = (typeof openAiStatuses)[number];

const auto = { oneOf: [{ type: 'string', enum: ['auto'] }, { type: 'number' }] };

export class JobHyperparametersDto {
  @ApiProperty(auto)
  n_epochs!: number | 'auto';
  @ApiProperty(auto)
  batch_size!: number | 'auto';
  @ApiProperty(auto)
  learning_rate_multiplier!: number | 'auto';
  @ApiPropertyOptional(auto)
  beta?: number | 'auto';
}

class JobMethodPartDto {
  hyperparameters!: JobHyperparametersDto;
}

export class JobMethodDto {
  @ApiProperty({ enum: ['supervised', 'dpo'] })
  type!: 'supervised' | 'dpo';
  supervised?: JobMethodPartDto;
  dpo?: JobMethodPartDto;
}

export class JobErrorDto {
  /** Such as `invalid_training_file`, `out_of_memory`. */
  code!: string;
  message!: string;
  param!: string | null;
}

/** Field for field OpenAI's `fine_tuning.job`. */
export class FineTuningJobDto {
  id!: string;
  object!: 'fine_tuning.job';
  /** Seconds since 1970. */
  created_at!: number;
  finished_at!: number | null;
  estimated_finish!: number | null;
  @ApiProperty({ enum: [...openAiStatuses] })
  status!: OpenAiStatus;
  model!: string;
  /** At once a model of /v1/chat/completions. */
  fine_tuned_model!: string | null;
  training_file!: string;
  validation_file!: string | null;
  /** A CSV of step metrics, once the job has succeeded. */
  result_files!: string[];
  hyperparameters!: JobHyperparametersDto;
  method!: JobMethodDto;
  trained_tokens!: number | null;
  seed!: number;
  @ApiProperty({ nullable: true, type: () => JobErrorDto })
  error!: JobErrorDto | null;
  organization_id!: string;
  user_provided_suffix!: string | null;
  @ApiProperty({ type: 'object', nullable: true, additionalProperties: { type: 'string' } })
  metadata!: Record<string, string> | null;
  @ApiProperty({ type: 'array', items: {} })
  integrations!: never[];
}

export class FineTuningJobListDto {
  object!: 'list';
  data!: FineTuningJobDto[];
  has_more!: boolean;
  first_id!: string | null;
  last_id!: string | null;
}

export class JobEventDto {
  id!: string;
  object!: 'fine_tuning.job.event';
  created_at!: number;
  @ApiProperty({ enum: ['error', 'info', 'warn'] })
  level!: 'info' | 'warn' | 'error';
  message!: string;
  @ApiProperty({ enum: ['message', 'metrics'] })
  type!: 'message' | 'metrics';
  data!: Record<string, unknown>;
}

export class JobEventListDto {
  object!: 'list';
  data!: JobEventDto[];
  has_more!: boolean;
  first_id!: string | null;
  last_id!: string | null;
}

export class JobCheckpointDto {
  id!: string;
  object!: 'fine_tuning.job.checkpoint';
  created_at!: number;
  fine_tuned_model_checkpoint!: string;
  fine_tuning_job_id!: string;
  /** `step`, `train_loss`, `train_mean_token_accuracy`, `valid_loss`, …, those that were measured. */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'number' } })
  metrics!: Record<string, number>;
  step_number!: number;
}

export class JobCheckpointListDto {
  object!: 'list';
  data!: JobCheckpointDto[];
  has_more!: boolean;
  first_id!: string | null;
  last_id!: string | null;
}

export class PageQuery {
  @AfterField()
  after?: string;

  @PageLimit(20)
  limit: number = 20;
}

export class CheckpointsQuery {
  @AfterField()
  after?: string;

  @PageLimit(10)
  limit: number = 10;
}
