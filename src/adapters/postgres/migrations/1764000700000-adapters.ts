import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = `
CREATE TABLE adapter_versions (
  id uuid CONSTRAINT adapter_versions_pkey PRIMARY KEY,
  seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  name text NOT NULL,
  model_id text NOT NULL,
  base text NOT NULL,
  base_path text NOT NULL,
  base_hash text NOT NULL CHECK (base_hash ~ '^[0-9a-f]{64}$'),
  method text NOT NULL,
  rank integer NOT NULL CHECK (rank > 0),
  format text NOT NULL CHECK (format = 'peft'),
  path text NOT NULL,
  place text NOT NULL,
  content_hash text NOT NULL CHECK (content_hash ~ '^[0-9a-f]{64}$'),
  bytes bigint NOT NULL,
  files jsonb NOT NULL,
  adapter_config jsonb NOT NULL,
  configuration jsonb NOT NULL,
  dataset jsonb,
  metrics jsonb NOT NULL DEFAULT '{}',
  origin text NOT NULL CHECK (origin IN ('training', 'upload')),
  job_id uuid,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  domains text[] NOT NULL DEFAULT '{}',
  tags text[] NOT NULL DEFAULT '{}',
  notes text NOT NULL DEFAULT '',
  retired_at timestamptz,
  retired_by text,
  files_removed_at timestamptz
);
CREATE UNIQUE INDEX adapter_versions_seq ON adapter_versions (seq);
CREATE UNIQUE INDEX adapter_versions_name ON adapter_versions (name);
CREATE UNIQUE INDEX adapter_versions_model_id ON adapter_versions (model_id);
CREATE UNIQUE INDEX adapter_versions_job ON adapter_versions (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX adapter_versions_content ON adapter_versions (content_hash);
CREATE INDEX adapter_versions_retired ON adapter_versions (retired_at) WHERE retired_at IS NOT NULL AND files_removed_at IS NULL;

-- The last number given out under each prefix of a name.
CREATE TABLE adapter_names (
  prefix text CONSTRAINT adapter_names_pkey PRIMARY KEY,
  last integer NOT NULL
);

CREATE TABLE adapter_aliases (
  alias text CONSTRAINT adapter_aliases_pkey PRIMARY KEY,
  version_id uuid NOT NULL REFERENCES adapter_versions,
  splits jsonb NOT NULL DEFAULT '[]',
  moved_at timestamptz NOT NULL
);
CREATE INDEX adapter_aliases_version ON adapter_aliases (version_id);

-- Each row holds from its time until the next one of its alias; without a version the alias was taken away.
CREATE TABLE adapter_deployments (
  number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT adapter_deployments_pkey PRIMARY KEY,
  alias text NOT NULL,
  version_id uuid REFERENCES adapter_versions,
  splits jsonb NOT NULL DEFAULT '[]',
  kind text NOT NULL CHECK (kind IN ('move', 'rollback', 'remove')),
  at timestamptz NOT NULL,
  by text NOT NULL,
  evidence jsonb NOT NULL DEFAULT '{}',
  CHECK ((version_id IS NULL) = (kind = 'remove'))
);
CREATE INDEX adapter_deployments_alias ON adapter_deployments (alias, number);
CREATE INDEX adapter_deployments_version ON adapter_deployments (version_id, number);

CREATE TABLE adapter_exports (
  id uuid CONSTRAINT adapter_exports_pkey PRIMARY KEY,
  seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  version_id uuid NOT NULL REFERENCES adapter_versions,
  format text NOT NULL CHECK (format IN ('merged', 'gguf', 'merged-gguf')),
  state text NOT NULL CHECK (state IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
  phase text,
  progress double precision NOT NULL DEFAULT 0,
  error text,
  place text NOT NULL,
  claimed_by uuid,
  attempt integer NOT NULL DEFAULT 0,
  files jsonb NOT NULL DEFAULT '[]',
  bytes bigint NOT NULL DEFAULT 0,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  completed_at timestamptz,
  cancel_requested_at timestamptz,
  files_removed_at timestamptz
);
CREATE UNIQUE INDEX adapter_exports_seq ON adapter_exports (seq);
CREATE INDEX adapter_exports_version ON adapter_exports (version_id, seq);
CREATE INDEX adapter_exports_open ON adapter_exports (seq) WHERE state IN ('pending', 'running');
`;

/** What may change of a version; everything else is what it was registered with. */
const CHANGING = ['domains', 'tags', 'notes', 'retired_at', 'retired_by', 'files_removed_at'];
const fixedOf = (row: string): string => `(to_jsonb(${row}) - '{${CHANGING.join(',')}}'::text[])`;

const guards = `
CREATE FUNCTION adapter_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused: it only grows', TG_OP, TG_TABLE_NAME USING ERRCODE = '42501';
END $$;
CREATE FUNCTION adapter_keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF ${fixedOf('NEW')} IS DISTINCT FROM ${fixedOf('OLD')} OR (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at) THEN
    RAISE EXCEPTION 'version % of an adapter never changes', OLD.name USING ERRCODE = '42501';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER adapter_versions_fixed BEFORE UPDATE ON adapter_versions FOR EACH ROW EXECUTE FUNCTION adapter_keep_version();
CREATE TRIGGER adapter_versions_keep BEFORE DELETE ON adapter_versions FOR EACH ROW EXECUTE FUNCTION adapter_refuse();
CREATE TRIGGER adapter_versions_whole BEFORE TRUNCATE ON adapter_versions FOR EACH STATEMENT EXECUTE FUNCTION adapter_refuse();
CREATE TRIGGER adapter_deployments_keep BEFORE UPDATE OR DELETE ON adapter_deployments FOR EACH ROW EXECUTE FUNCTION adapter_refuse();
CREATE TRIGGER adapter_deployments_whole BEFORE TRUNCATE ON adapter_deployments FOR EACH STATEMENT EXECUTE FUNCTION adapter_refuse();
`;

/** Told by the database itself, so that no process misses what another committed; these tables change rarely. */
const news = `
CREATE FUNCTION adapter_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify(TG_ARGV[0], '');
  RETURN NULL;
END $$;
CREATE TRIGGER adapter_versions_told AFTER INSERT OR UPDATE ON adapter_versions
  FOR EACH STATEMENT EXECUTE FUNCTION adapter_tell('adapter_catalog');
CREATE TRIGGER adapter_aliases_told AFTER INSERT OR UPDATE OR DELETE ON adapter_aliases
  FOR EACH STATEMENT EXECUTE FUNCTION adapter_tell('adapter_catalog');
CREATE TRIGGER adapter_exports_told AFTER INSERT OR UPDATE OF cancel_requested_at ON adapter_exports
  FOR EACH STATEMENT EXECUTE FUNCTION adapter_tell('adapter_exports');
`;

export class Adapters1764000700000 implements MigrationInterface {
  name = 'Adapters1764000700000';

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [tables, guards, news]) await runner.query(sql);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE adapter_exports, adapter_deployments, adapter_aliases, adapter_names, adapter_versions;
      DROP FUNCTION adapter_refuse, adapter_keep_version, adapter_tell;`);
  }
}
