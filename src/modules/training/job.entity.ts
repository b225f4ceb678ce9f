import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { JobStatus, TrainerType, TrainingMethod } from './job-state.js';
import type { ResolvedConfig } from './resolved-config.js';

const moment = { type: 'timestamptz', nullable: true } as const;

/** A job and the state of its supervision; names are those of the table and of the API. */
@Entity('training_jobs')
@Index('training_jobs_status_seq', ['status', 'seq'])
export class JobEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'training_jobs_pkey' }) job_id!: string;
  /** Order of creation: the list falls by it, the queue rises by it. */
  @Index('training_jobs_seq', { unique: true })
  @Column({ type: 'bigint', generated: 'identity', generatedIdentity: 'ALWAYS' })
  seq!: number;
  @Column('text') trainer_type!: TrainerType;
  @Column('text', { default: 'supervised' }) method!: TrainingMethod;
  @Column('text') status!: JobStatus;
  @Column('text') config_path!: string;
  @Column('text', { nullable: true }) dataset_path!: string | null;
  @Column('text', { nullable: true }) output_dir!: string | null;
  @Column('timestamptz', { default: () => 'now()' }) created_at!: Date;
  @Column(moment) started_at!: Date | null;
  @Column(moment) completed_at!: Date | null;
  @Column('double precision', { default: 0 }) current_epoch!: number;
  @Column('double precision', { default: 0 }) total_epochs!: number;
  @Column('double precision', { default: 0 }) progress_percent!: number;
  @Column('text', { nullable: true }) adapter_path!: string | null;
  @Column('jsonb', { nullable: true }) metrics!: Record<string, unknown> | null;
  @Column('text', { nullable: true }) error_message!: string | null;
  @Column('smallint') priority!: number;
  @Column('text', { array: true, default: '{}' }) tags!: string[];
  @Column('text') created_by!: string;
  /** "default" for the model made on the spot, else a hub id or the real path of a folder. */
  @Column('text') base_model!: string;
  /** GPUs the job asks for; 0 on a host without any. */
  @Column('smallint', { default: 0 }) gpus!: number;
  @Column(moment) cancel_requested_at!: Date | null;
  @Column('text', { nullable: true }) cancelled_by!: string | null;
  /** A running job is asked to save and end, and not to go on before somebody says so. */
  @Column(moment) pause_requested_at!: Date | null;
  @Column('text', { nullable: true }) paused_by!: string | null;
  @Column('timestamptz', { default: () => 'now()' }) not_before!: Date;
  /** Number of the current attempt, its folder's name; 0 before the first. */
  @Column('integer', { default: 0 }) attempt!: number;
  /** Attempts that were killed since the last request of a person. */
  @Column('integer', { default: 0 }) failures!: number;
  /** How often the micro-batch was halved after running out of memory. */
  @Column('smallint', { default: 0 }) batch_halvings!: number;
  /** Rises with each claim and adoption; every write of an attempt carries it. */
  @Column('bigint', { default: 0 }) fence!: number;
  @Column('uuid', { nullable: true }) owner!: string | null;
  @Column('text', { nullable: true }) host_id!: string | null;
  @Column('smallint', { nullable: true }) slot!: number | null;
  @Column('smallint', { array: true, default: '{}' }) gpu_indices!: number[];
  @Column(moment) lease_until!: Date | null;
  @Column('text', { nullable: true }) run_dir!: string | null;
  /** Bytes of events.jsonl that are stored. */
  @Column('bigint', { default: 0 }) event_offset!: number;
  /** Number of the newest event of this job. */
  @Column('integer', { default: 0 }) last_event!: number;
  @Column('integer', { default: 0 }) current_step!: number;
  @Column('integer', { default: 0 }) total_steps!: number;
  @Column('double precision', { nullable: true }) seconds_left!: number | null;
  @Column('text', { nullable: true }) resume_from!: string | null;
  /** Seconds that ended attempts ran; the time limit counts them. */
  @Column('double precision', { default: 0 }) run_seconds!: number;
  @Column(moment) attempt_started_at!: Date | null;
}

/** The resolved configuration of a job, apart from the row that every progress rewrites. */
@Entity('training_job_configs')
export class JobConfigEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'training_job_configs_pkey' }) job_id!: string;
  @Column('jsonb') config!: ResolvedConfig;
}

/** What happened to a job, numbered per job; `stream` numbers the events of all jobs in commit order. */
@Entity('training_job_events')
export class JobEventEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'training_job_events_pkey' }) job_id!: string;
  @PrimaryColumn('integer', { primaryKeyConstraintName: 'training_job_events_pkey' }) number!: number;
  @Column('timestamptz') time!: Date;
  @Column({ type: 'text' }) type!: string;
  @Column('integer', { nullable: true }) step!: number | null;
  @Column('jsonb') data!: Record<string, unknown>;
  @Index('training_job_events_stream', { unique: true })
  @Column('bigint', { nullable: true })
  stream!: number | null;
}
