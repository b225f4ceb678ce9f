import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Security1764000100000 implements MigrationInterface {
  name = 'Security1764000100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE security_personal_tokens (
        id uuid CONSTRAINT security_personal_tokens_pkey PRIMARY KEY,
        owner text NOT NULL,
        name text NOT NULL,
        digest bytea NOT NULL,
        scopes text[] NOT NULL,
        roles text[] NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        last_used_at timestamptz,
        revoked_at timestamptz
      );
      CREATE UNIQUE INDEX security_personal_tokens_digest ON security_personal_tokens (digest);
      CREATE INDEX security_personal_tokens_owner ON security_personal_tokens (owner, created_at);
      CREATE TABLE security_tickets (
        digest bytea CONSTRAINT security_tickets_pkey PRIMARY KEY,
        principal jsonb NOT NULL,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX security_tickets_expiry ON security_tickets (expires_at);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE security_tickets, security_personal_tokens;');
  }
}
