import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = `
-- A deleted file stays as a row without bytes: a client that deletes while it pages goes on behind it.
CREATE TABLE openai_files (
  id text CONSTRAINT openai_files_pkey PRIMARY KEY,
  seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  filename text NOT NULL,
  purpose text NOT NULL,
  bytes bigint NOT NULL,
  sha256 text NOT NULL,
  path text NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  deleted_at timestamptz
);
CREATE UNIQUE INDEX openai_files_seq ON openai_files (seq);
CREATE INDEX openai_files_listed ON openai_files (created_by, seq) WHERE deleted_at IS NULL;
CREATE INDEX openai_files_expire ON openai_files (expires_at) WHERE deleted_at IS NULL AND expires_at IS NOT NULL;

-- What a job was asked to be. From 'accepted' on its state is that of the training job with its job_id.
CREATE TABLE openai_jobs (
  id text CONSTRAINT openai_jobs_pkey PRIMARY KEY,
  seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  state text NOT NULL CHECK (state IN ('validating', 'paused', 'accepted', 'failed', 'cancelled')),
  job_id uuid CONSTRAINT openai_jobs_job_id UNIQUE,
  model text NOT NULL,
  request jsonb NOT NULL,
  metadata jsonb,
  training_file text NOT NULL REFERENCES openai_files,
  validation_file text REFERENCES openai_files,
  hyperparameters jsonb,
  created_by text NOT NULL,
  caller jsonb NOT NULL,
  place text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  error jsonb,
  fine_tuned_model text,
  result_file text REFERENCES openai_files,
  ended_at timestamptz,
  CHECK ((state = 'accepted') = (job_id IS NOT NULL))
);
CREATE UNIQUE INDEX openai_jobs_seq ON openai_jobs (seq);
CREATE INDEX openai_jobs_listed ON openai_jobs (created_by, seq);
CREATE INDEX openai_jobs_metadata ON openai_jobs USING gin (metadata jsonb_path_ops);
CREATE INDEX openai_jobs_validating ON openai_jobs (seq) WHERE state = 'validating';
CREATE INDEX openai_jobs_open ON openai_jobs (seq) WHERE ended_at IS NULL;
CREATE INDEX openai_jobs_training_file ON openai_jobs (training_file) WHERE ended_at IS NULL;
CREATE INDEX openai_jobs_validation_file ON openai_jobs (validation_file) WHERE ended_at IS NULL;

CREATE TABLE openai_idempotency_keys (
  subject text NOT NULL,
  key text NOT NULL,
  id text NOT NULL REFERENCES openai_jobs,
  request_hash text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT openai_idempotency_keys_pkey PRIMARY KEY (subject, key)
);
`;

export class OpenAi1764000900000 implements MigrationInterface {
  name = 'OpenAi1764000900000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(tables);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE openai_idempotency_keys, openai_jobs, openai_files');
  }
}
