import type { MigrationInterface, QueryRunner } from 'typeorm';

const holders = `
-- Who holds a document, under which name: equal bytes of several owners are one document, which goes with its last holder.
-- The owner and name of a document are those of one of its holders.
CREATE TABLE documents_holder (
  owner text NOT NULL,
  name text NOT NULL,
  document_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT documents_holder_pkey PRIMARY KEY (owner, name),
  CONSTRAINT documents_holder_document_fkey FOREIGN KEY (document_id) REFERENCES documents_document ON DELETE CASCADE
);
CREATE INDEX documents_holder_document ON documents_holder (document_id);
INSERT INTO documents_holder (owner, name, document_id, created_at)
  SELECT owner, name, document_id, created_at FROM documents_document;
-- Of further names it was not written down whose they are.
INSERT INTO documents_holder (owner, name, document_id)
  SELECT d.owner, other.name, d.document_id FROM documents_document d JOIN documents_version v USING (document_id, version)
    CROSS JOIN unnest(v.names) AS other (name) ORDER BY d.created_at
  ON CONFLICT DO NOTHING;
`;

export class Holders1764001000000 implements MigrationInterface {
  name = 'Holders1764001000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(holders);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE documents_holder');
  }
}
