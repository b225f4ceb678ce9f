import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = `
CREATE TABLE training_jobs (
  job_id uuid CONSTRAINT training_jobs_pkey PRIMARY KEY,
  seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  trainer_type text NOT NULL CHECK (trainer_type IN ('lora', 'qlora', 'continuous')),
  status text NOT NULL CHECK (status IN ('pending', 'queued', 'running', 'completed', 'failed', 'cancelled')),
  config_path text NOT NULL,
  dataset_path text,
  output_dir text,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  completed_at timestamptz,
  current_epoch double precision NOT NULL DEFAULT 0,
  total_epochs double precision NOT NULL DEFAULT 0,
  progress_percent double precision NOT NULL DEFAULT 0,
  adapter_path text,
  metrics jsonb,
  error_message text,
  priority smallint NOT NULL CHECK (priority BETWEEN 1 AND 5),
  tags text[] NOT NULL DEFAULT '{}',
  created_by text NOT NULL,
  base_model text NOT NULL,
  gpus smallint NOT NULL DEFAULT 0,
  cancel_requested_at timestamptz,
  cancelled_by text,
  not_before timestamptz NOT NULL DEFAULT now(),
  attempt integer NOT NULL DEFAULT 0,
  failures integer NOT NULL DEFAULT 0,
  batch_halvings smallint NOT NULL DEFAULT 0,
  fence bigint NOT NULL DEFAULT 0,
  owner uuid,
  host_id text,
  slot smallint,
  gpu_indices smallint[] NOT NULL DEFAULT '{}',
  lease_until timestamptz,
  run_dir text,
  event_offset bigint NOT NULL DEFAULT 0,
  last_event integer NOT NULL DEFAULT 0,
  current_step integer NOT NULL DEFAULT 0,
  total_steps integer NOT NULL DEFAULT 0,
  seconds_left double precision,
  resume_from text,
  run_seconds double precision NOT NULL DEFAULT 0,
  attempt_started_at timestamptz
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX training_jobs_seq ON training_jobs (seq);
CREATE INDEX training_jobs_status_seq ON training_jobs (status, seq);
CREATE INDEX training_jobs_waiting ON training_jobs (priority DESC, seq) WHERE status IN ('pending', 'queued');
CREATE INDEX training_jobs_running ON training_jobs (host_id) WHERE status = 'running';
CREATE INDEX training_jobs_adapters ON training_jobs (base_model, completed_at) WHERE status = 'completed';
CREATE INDEX training_jobs_cancelling ON training_jobs (seq)
  WHERE cancel_requested_at IS NOT NULL AND status IN ('pending', 'queued', 'running');

CREATE TABLE training_job_configs (
  job_id uuid CONSTRAINT training_job_configs_pkey PRIMARY KEY REFERENCES training_jobs ON DELETE CASCADE,
  config jsonb NOT NULL
);

CREATE TABLE training_job_events (
  job_id uuid NOT NULL REFERENCES training_jobs ON DELETE CASCADE,
  number integer NOT NULL,
  time timestamptz NOT NULL,
  type text NOT NULL,
  step integer,
  data jsonb NOT NULL,
  stream bigint,
  CONSTRAINT training_job_events_pkey PRIMARY KEY (job_id, number)
);
CREATE UNIQUE INDEX training_job_events_stream ON training_job_events (stream);
CREATE INDEX training_job_events_unnumbered ON training_job_events (job_id, number) WHERE stream IS NULL;
CREATE TABLE training_event_head (id smallint PRIMARY KEY CHECK (id = 1), newest bigint NOT NULL, oldest bigint NOT NULL);
INSERT INTO training_event_head VALUES (1, 0, 1);

CREATE TABLE training_idempotency_keys (
  subject text NOT NULL,
  key text NOT NULL,
  job_id uuid NOT NULL REFERENCES training_jobs ON DELETE CASCADE,
  request_hash text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (subject, key)
);

CREATE TABLE training_hosts (
  host_id text PRIMARY KEY,
  boot_id text NOT NULL,
  hostname text NOT NULL,
  slots smallint NOT NULL,
  gpus smallint NOT NULL,
  seen_at timestamptz NOT NULL
);
CREATE TABLE training_slots (
  host_id text NOT NULL,
  slot smallint NOT NULL,
  jobs_completed bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (host_id, slot)
);
`;

/** Counts by status, spread over 16 rows each so that concurrent transactions do not queue on one. */
const counts = `
CREATE TABLE training_job_counts (
  status text NOT NULL,
  shard smallint NOT NULL,
  jobs bigint NOT NULL,
  PRIMARY KEY (status, shard)
) WITH (fillfactor = 50);

CREATE FUNCTION training_count_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO training_job_counts AS c
    SELECT status, pg_backend_pid() % 16, count(*) FROM fresh GROUP BY status ORDER BY status
    ON CONFLICT (status, shard) DO UPDATE SET jobs = c.jobs + excluded.jobs;
  RETURN NULL;
END $$;
CREATE FUNCTION training_count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO training_job_counts AS c
    SELECT status, pg_backend_pid() % 16, -count(*) FROM gone GROUP BY status ORDER BY status
    ON CONFLICT (status, shard) DO UPDATE SET jobs = c.jobs + excluded.jobs;
  RETURN NULL;
END $$;
CREATE FUNCTION training_count_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO training_job_counts AS c
    SELECT status, pg_backend_pid() % 16, jobs
      FROM (VALUES (OLD.status, -1), (NEW.status, 1)) AS moved (status, jobs) ORDER BY status
    ON CONFLICT (status, shard) DO UPDATE SET jobs = c.jobs + excluded.jobs;
  RETURN NULL;
END $$;
CREATE TRIGGER training_count_inserted AFTER INSERT ON training_jobs REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION training_count_inserted();
CREATE TRIGGER training_count_deleted AFTER DELETE ON training_jobs REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION training_count_deleted();
CREATE TRIGGER training_count_moved AFTER UPDATE OF status ON training_jobs
  FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION training_count_moved();
`;

/**
 * Numbers the committed events of all jobs. The row lock makes numbering serial, and each statement of the function
 * sees what is committed when it starts: so numbers follow commit order and a reader never meets a late lower one.
 */
const numbering = `
CREATE FUNCTION training_number_events() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  head bigint;
  numbered bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM training_job_events WHERE stream IS NULL) THEN RETURN 0; END IF;
  SELECT newest INTO head FROM training_event_head WHERE id = 1 FOR UPDATE;
  WITH fresh AS (
    SELECT job_id, number, row_number() OVER (ORDER BY job_id, number) AS place
      FROM (SELECT job_id, number FROM training_job_events WHERE stream IS NULL ORDER BY job_id, number LIMIT 2000) AS unnumbered
  )
  UPDATE training_job_events AS e SET stream = head + fresh.place
    FROM fresh WHERE e.job_id = fresh.job_id AND e.number = fresh.number;
  GET DIAGNOSTICS numbered = ROW_COUNT;
  IF numbered > 0 THEN
    UPDATE training_event_head SET newest = head + numbered WHERE id = 1;
    PERFORM pg_notify('training_stream', '');
  END IF;
  RETURN numbered;
END $$;
`;

export class Training1764000000000 implements MigrationInterface {
  name = 'Training1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [tables, counts, numbering]) await runner.query(sql);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE training_slots, training_hosts, training_idempotency_keys, training_event_head,
        training_job_events, training_job_configs, training_jobs, training_job_counts;
      DROP FUNCTION training_count_inserted, training_count_deleted, training_count_moved, training_number_events;`);
  }
}
