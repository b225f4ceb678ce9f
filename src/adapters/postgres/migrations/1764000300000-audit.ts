import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = `
CREATE TABLE audit_rows (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_rows_pkey PRIMARY KEY,
  time timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor uuid,
  roles text[] NOT NULL DEFAULT '{}',
  via text,
  certificate text,
  action text NOT NULL,
  target_type text,
  target_id text,
  outcome text NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
  address text NOT NULL DEFAULT '',
  request_id text NOT NULL DEFAULT '',
  detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_rows_actor ON audit_rows (actor, id);
CREATE INDEX audit_rows_target ON audit_rows (target_type, target_id, id);
CREATE INDEX audit_rows_action ON audit_rows (action text_pattern_ops, id);
CREATE INDEX audit_rows_time ON audit_rows (time);

-- Committed rows that the chain does not hold yet; the only table here that shrinks.
CREATE TABLE audit_pending (
  row_id bigint CONSTRAINT audit_pending_pkey PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE audit_links (
  seq bigint CONSTRAINT audit_links_pkey PRIMARY KEY,
  row_id bigint NOT NULL CONSTRAINT audit_links_row_id_key UNIQUE,
  hash bytea NOT NULL CHECK (length(hash) = 32)
);
CREATE TABLE audit_heads (
  seq bigint NOT NULL,
  hash bytea NOT NULL,
  time timestamptz NOT NULL,
  key text NOT NULL,
  signature text NOT NULL,
  CONSTRAINT audit_heads_pkey PRIMARY KEY (seq, time)
);
CREATE TABLE audit_checkpoints (
  seq bigint CONSTRAINT audit_checkpoints_pkey PRIMARY KEY,
  hash bytea NOT NULL,
  time timestamptz NOT NULL,
  key text NOT NULL,
  signature text NOT NULL
);
CREATE TABLE audit_subjects (
  pseudonym uuid CONSTRAINT audit_subjects_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
  lookup bytea CONSTRAINT audit_subjects_lookup_key UNIQUE,
  subject text,
  erased_at timestamptz
);
CREATE INDEX audit_subjects_subject ON audit_subjects (subject);
`;

/** One statement, and no NOTIFY: that takes a lock of the whole server at each commit, which a poll twice a second spares. */
const record = `
CREATE FUNCTION audit_record(entry jsonb) RETURNS bigint LANGUAGE sql AS $$
  WITH written AS (
    INSERT INTO audit_rows (actor, roles, via, certificate, action, target_type, target_id, outcome, address, request_id, detail)
      SELECT e.actor, coalesce(e.roles, '{}'), e.via, e.certificate, e.action, e.target_type, e.target_id, e.outcome,
          coalesce(e.address, ''), coalesce(e.request_id, ''), coalesce(e.detail, '{}')
        FROM jsonb_to_record(entry) AS e (actor uuid, roles text[], via text, certificate text, action text,
          target_type text, target_id text, outcome text, address text, request_id text, detail jsonb)
      RETURNING id
  )
  INSERT INTO audit_pending (row_id) SELECT id FROM written RETURNING row_id;
$$;
`;

const guards = `
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND TG_TABLE_NAME IN ('audit_rows', 'audit_links')
      AND current_setting('clara.audit_expiring', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '% of % is refused: the audit trail only grows', TG_OP, TG_TABLE_NAME USING ERRCODE = '42501';
END $$;
${['rows', 'links', 'heads', 'checkpoints']
  .map(
    (name) => `
CREATE TRIGGER audit_${name}_keep BEFORE UPDATE OR DELETE ON audit_${name} FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_${name}_whole BEFORE TRUNCATE ON audit_${name} FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();`,
  )
  .join('')}
`;

/** Runs as the owner of the tables, so it is the only way in which the application can remove rows: whole, old, signed for. */
const expire = `
CREATE FUNCTION audit_expire(checkpoint jsonb) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  last bigint := (checkpoint ->> 'seq')::bigint;
  expected bytea := decode(checkpoint ->> 'hash', 'hex');
  removed bigint;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM audit_links WHERE seq = last AND hash = expected) THEN
    RAISE EXCEPTION 'link % does not have the hash of the checkpoint', last;
  END IF;
  IF EXISTS (SELECT 1 FROM audit_links l JOIN audit_rows r ON r.id = l.row_id
      WHERE l.seq <= last AND r.time > now() - interval '30 days') THEN
    RAISE EXCEPTION 'rows younger than 30 days are never removed';
  END IF;
  INSERT INTO audit_checkpoints (seq, hash, time, key, signature)
    VALUES (last, expected, (checkpoint ->> 'time')::timestamptz, checkpoint ->> 'key', checkpoint ->> 'signature');
  PERFORM set_config('clara.audit_expiring', 'on', true);
  DELETE FROM audit_rows r USING audit_links l WHERE l.row_id = r.id AND l.seq <= last;
  DELETE FROM audit_links WHERE seq <= last;
  GET DIAGNOSTICS removed = ROW_COUNT;
  PERFORM set_config('clara.audit_expiring', 'off', true);
  RETURN removed;
END $$;
REVOKE ALL ON FUNCTION audit_expire FROM PUBLIC;
`;

export class Audit1764000300000 implements MigrationInterface {
  name = 'Audit1764000300000';

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [tables, record, guards, expire]) await runner.query(sql);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE audit_rows, audit_pending, audit_links, audit_heads, audit_checkpoints, audit_subjects;
      DROP FUNCTION audit_record, audit_refuse, audit_expire;`);
  }
}
