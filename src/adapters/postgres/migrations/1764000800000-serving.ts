import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Serving1764000800000 implements MigrationInterface {
  name = 'Serving1764000800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
-- What every replica should hold, besides the versions that aliases mean.
CREATE TABLE serving_wanted (
  version_id uuid CONSTRAINT serving_wanted_pkey PRIMARY KEY REFERENCES adapter_versions ON DELETE CASCADE,
  wanted boolean NOT NULL DEFAULT true,
  pinned boolean NOT NULL DEFAULT false,
  how text NOT NULL CHECK (how IN ('asked', 'used')),
  wanted_by text NOT NULL,
  wanted_at timestamptz NOT NULL DEFAULT now(),
  last_used timestamptz NOT NULL DEFAULT now(),
  CHECK (wanted OR NOT pinned)
);

-- Slots and GPUs of a host that something other than a job holds; without a renewal they are free after lease_until.
CREATE TABLE training_slot_holders (
  host_id text NOT NULL,
  holder text NOT NULL,
  slot integer NOT NULL,
  gpu_indices integer[] NOT NULL,
  lease_until timestamptz NOT NULL,
  asked_back_at timestamptz,
  CONSTRAINT training_slot_holders_pkey PRIMARY KEY (host_id, holder)
);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE serving_wanted, training_slot_holders');
  }
}
