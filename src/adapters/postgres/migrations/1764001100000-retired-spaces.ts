import type { MigrationInterface, QueryRunner } from 'typeorm';

const retired = `
-- Vectors of earlier models that nobody searches any more and that their store has yet to remove.
CREATE TABLE search_retired_space (
  store text NOT NULL,
  space_id text NOT NULL,
  retry_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT search_retired_space_pkey PRIMARY KEY (store, space_id)
);
`;

export class RetiredSpaces1764001100000 implements MigrationInterface {
  name = 'RetiredSpaces1764001100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(retired);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE search_retired_space');
  }
}
