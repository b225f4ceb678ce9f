import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = `
CREATE TABLE dataset_sets (
  dataset_id uuid CONSTRAINT dataset_sets_pkey PRIMARY KEY,
  seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  owner text NOT NULL,
  readers text[] NOT NULL DEFAULT '{}',
  status text NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
  latest integer NOT NULL DEFAULT 1,
  latest_completed integer,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz
);
CREATE UNIQUE INDEX dataset_sets_seq ON dataset_sets (seq);
CREATE INDEX dataset_sets_listed ON dataset_sets (seq) WHERE deleted_at IS NULL;
CREATE INDEX dataset_sets_status ON dataset_sets (status, seq) WHERE deleted_at IS NULL;
CREATE INDEX dataset_sets_deleted ON dataset_sets (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE dataset_versions (
  dataset_id uuid NOT NULL REFERENCES dataset_sets ON DELETE CASCADE,
  number integer NOT NULL CHECK (number > 0),
  state text NOT NULL CHECK (state IN ('pending', 'processing', 'completed', 'failed')),
  source jsonb NOT NULL,
  options jsonb NOT NULL,
  query_text text,
  created_by text NOT NULL,
  caller jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  completed_at timestamptz,
  error text,
  cancel_requested_at timestamptz,
  cancelled_by text,
  attempt integer NOT NULL DEFAULT 0,
  fence bigint NOT NULL DEFAULT 0,
  place text,
  claimed_by uuid,
  claimed_place text,
  lease_until timestamptz,
  progress jsonb,
  build uuid,
  readers text[],
  content_hash text,
  rows integer NOT NULL DEFAULT 0,
  total_tokens bigint NOT NULL DEFAULT 0,
  quality_average double precision NOT NULL DEFAULT 0,
  statistics jsonb,
  report jsonb,
  files jsonb NOT NULL DEFAULT '{}',
  exports jsonb NOT NULL DEFAULT '{}',
  CONSTRAINT dataset_versions_pkey PRIMARY KEY (dataset_id, number)
);
CREATE INDEX dataset_versions_open ON dataset_versions (created_at) WHERE state IN ('pending', 'processing');

-- Rows of a build: they count once their version names it.
CREATE TABLE dataset_rows (
  build uuid NOT NULL,
  ordinal integer NOT NULL,
  split text NOT NULL CHECK (split IN ('train', 'validation', 'test')),
  hash bytea NOT NULL CHECK (length(hash) = 32),
  place bigint NOT NULL,
  size integer NOT NULL,
  source text NOT NULL CHECK (source IN ('search', 'document', 'upload', 'synthetic', 'feedback')),
  document_id text,
  document_version integer,
  chunk_id text,
  relevance real,
  quality real NOT NULL,
  made_by jsonb,
  CONSTRAINT dataset_rows_pkey PRIMARY KEY (build, ordinal)
);
CREATE INDEX dataset_rows_document ON dataset_rows (document_id, build) WHERE document_id IS NOT NULL;

CREATE TABLE dataset_idempotency_keys (
  subject text NOT NULL,
  key text NOT NULL,
  dataset_id uuid NOT NULL REFERENCES dataset_sets ON DELETE CASCADE,
  version integer NOT NULL,
  request_hash text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT dataset_idempotency_keys_pkey PRIMARY KEY (subject, key)
);
`;

/** Counts of what is not deleted by what decides who sees it, so that a list of 100,000 sets knows its length. */
const counts = `
CREATE TABLE dataset_counts (
  owner text NOT NULL,
  readers text[] NOT NULL,
  status text NOT NULL,
  datasets bigint NOT NULL,
  CONSTRAINT dataset_counts_pkey PRIMARY KEY (owner, readers, status)
) WITH (fillfactor = 50);

CREATE FUNCTION dataset_count_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO dataset_counts AS c
    SELECT owner, readers, status, count(*) FROM fresh WHERE deleted_at IS NULL
      GROUP BY owner, readers, status ORDER BY owner, readers, status
    ON CONFLICT (owner, readers, status) DO UPDATE SET datasets = c.datasets + excluded.datasets;
  RETURN NULL;
END $$;
CREATE FUNCTION dataset_count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO dataset_counts AS c
    SELECT owner, readers, status, -count(*) FROM gone WHERE deleted_at IS NULL
      GROUP BY owner, readers, status ORDER BY owner, readers, status
    ON CONFLICT (owner, readers, status) DO UPDATE SET datasets = c.datasets + excluded.datasets;
  RETURN NULL;
END $$;
CREATE FUNCTION dataset_count_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO dataset_counts AS c
    SELECT owner, readers, status, sum(change) FROM (
        SELECT OLD.owner, OLD.readers, OLD.status, -1 WHERE OLD.deleted_at IS NULL
        UNION ALL SELECT NEW.owner, NEW.readers, NEW.status, 1 WHERE NEW.deleted_at IS NULL
      ) AS moved (owner, readers, status, change)
      GROUP BY owner, readers, status HAVING sum(change) <> 0 ORDER BY owner, readers, status
    ON CONFLICT (owner, readers, status) DO UPDATE SET datasets = c.datasets + excluded.datasets;
  RETURN NULL;
END $$;
CREATE TRIGGER dataset_count_inserted AFTER INSERT ON dataset_sets REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION dataset_count_inserted();
CREATE TRIGGER dataset_count_removed AFTER DELETE ON dataset_sets REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION dataset_count_removed();
CREATE TRIGGER dataset_count_moved AFTER UPDATE OF owner, readers, status, deleted_at ON dataset_sets
  FOR EACH ROW EXECUTE FUNCTION dataset_count_moved();
`;

export class Datasets1764000600000 implements MigrationInterface {
  name = 'Datasets1764000600000';

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [tables, counts]) await runner.query(sql);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE dataset_idempotency_keys, dataset_rows, dataset_versions, dataset_sets, dataset_counts;
      DROP FUNCTION dataset_count_inserted, dataset_count_removed, dataset_count_moved;`);
  }
}
