import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far the pictures of a file are recognised, and how sure the text of a chunk is. */
export class Ocr1764000660000 implements MigrationInterface {
  name = 'Ocr1764000660000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE ingestion_file ADD COLUMN progress text');
    await runner.query('ALTER TABLE documents_chunk ADD COLUMN ocr_confidence smallint');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE documents_chunk DROP COLUMN ocr_confidence');
    await runner.query('ALTER TABLE ingestion_file DROP COLUMN progress');
  }
}
