import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Router1764000850000 implements MigrationInterface {
  name = 'Router1764000850000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
-- What stands above CLARA_ROUTER_CONFIG since somebody configured the router; at most one row.
CREATE TABLE serving_router (
  one boolean CONSTRAINT serving_router_pkey PRIMARY KEY DEFAULT true CHECK (one),
  config jsonb NOT NULL,
  changed_by text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now()
);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE serving_router');
  }
}
