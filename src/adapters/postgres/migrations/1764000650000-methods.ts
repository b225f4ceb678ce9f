import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Training methods, and jobs that are paused. */
export class Methods1764000650000 implements MigrationInterface {
  name = 'Methods1764000650000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE training_jobs
        ADD COLUMN method text NOT NULL DEFAULT 'supervised' CHECK (method IN ('supervised', 'dpo')),
        ADD COLUMN pause_requested_at timestamptz,
        ADD COLUMN paused_by text,
        DROP CONSTRAINT training_jobs_status_check,
        ADD CONSTRAINT training_jobs_status_check
          CHECK (status IN ('pending', 'queued', 'running', 'paused', 'completed', 'failed', 'cancelled'))`);
  }

  /** A paused job waits again: the schema before knows no other place for it. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`UPDATE training_jobs SET status = 'queued' WHERE status = 'paused'`);
    await runner.query(`
      ALTER TABLE training_jobs
        DROP COLUMN method,
        DROP COLUMN pause_requested_at,
        DROP COLUMN paused_by,
        DROP CONSTRAINT training_jobs_status_check,
        ADD CONSTRAINT training_jobs_status_check
          CHECK (status IN ('pending', 'queued', 'running', 'completed', 'failed', 'cancelled'))`);
  }
}
