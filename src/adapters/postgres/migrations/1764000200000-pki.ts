import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = `
CREATE TABLE pki_authorities (
  role text PRIMARY KEY CHECK (role IN ('root', 'intermediate')),
  certificate text NOT NULL,
  -- Null: kept elsewhere.
  sealed_key jsonb,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE pki_crls (
  issuer text PRIMARY KEY REFERENCES pki_authorities (role),
  number bigint NOT NULL,
  this_update timestamptz NOT NULL,
  next_update timestamptz NOT NULL,
  entries integer NOT NULL,
  der bytea NOT NULL
);
CREATE TABLE pki_services (
  service_id text PRIMARY KEY,
  service_name text NOT NULL,
  endpoints text[] NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  health_check_url text,
  registered_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE pki_certificates (
  certificate_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  serial text NOT NULL UNIQUE,
  service_id text NOT NULL,
  common_name text NOT NULL,
  san_dns text[] NOT NULL,
  san_ip text[] NOT NULL,
  not_before timestamptz NOT NULL,
  not_after timestamptz NOT NULL,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'revoked')),
  reason text,
  revoked_at timestamptz,
  fingerprint text NOT NULL,
  issuer text NOT NULL,
  pem text NOT NULL,
  issued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CHECK ((status = 'revoked') = (revoked_at IS NOT NULL))
);
CREATE INDEX pki_certificates_service ON pki_certificates (service_id, issued_at DESC);
CREATE INDEX pki_certificates_revoked ON pki_certificates (not_after) WHERE status = 'revoked';
CREATE TABLE pki_enrolment_tokens (
  token_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  token_hash text NOT NULL UNIQUE,
  service_id text NOT NULL,
  common_name text NOT NULL,
  san_dns text[] NOT NULL,
  san_ip text[] NOT NULL,
  max_uses integer NOT NULL,
  uses integer NOT NULL DEFAULT 0 CHECK (uses <= max_uses),
  expires_at timestamptz NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);
`;

export class Pki1764000200000 implements MigrationInterface {
  name = 'Pki1764000200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(tables);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE pki_enrolment_tokens, pki_certificates, pki_services, pki_crls, pki_authorities');
  }
}
