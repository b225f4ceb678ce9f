import type { MigrationInterface, QueryRunner } from 'typeorm';

const documents = `
CREATE TABLE documents_document (
  document_id uuid CONSTRAINT documents_document_pkey PRIMARY KEY,
  owner text NOT NULL,
  -- As its owner named it, with the folders of an archive or a directory: another file of this name is a new version.
  name text NOT NULL,
  readers text[] NOT NULL,
  tags text[] NOT NULL DEFAULT '{}',
  version integer NOT NULL,
  -- The analysis that its words went through.
  analysis integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT documents_document_name_key UNIQUE (owner, name)
);
CREATE INDEX documents_document_analysis ON documents_document (analysis);
CREATE INDEX documents_document_readers ON documents_document USING gin (readers);
CREATE INDEX documents_document_created ON documents_document (created_at, document_id);

-- What a document was at each version; of earlier ones only this row and the original file are left.
CREATE TABLE documents_version (
  document_id uuid NOT NULL,
  version integer NOT NULL,
  sha256 text NOT NULL,
  bytes bigint NOT NULL,
  filename text NOT NULL,
  names text[] NOT NULL,
  kind text NOT NULL,
  title text NOT NULL,
  language text NOT NULL,
  law text,
  terms text[] NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  warnings text[] NOT NULL DEFAULT '{}',
  pages integer,
  characters bigint NOT NULL,
  chunks integer NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT documents_version_pkey PRIMARY KEY (document_id, version),
  CONSTRAINT documents_version_document_fkey FOREIGN KEY (document_id) REFERENCES documents_document ON DELETE CASCADE
);
CREATE INDEX documents_version_sha256 ON documents_version (sha256);

CREATE TABLE documents_chunk (
  chunk_no integer GENERATED ALWAYS AS IDENTITY,
  chunk_id uuid NOT NULL CONSTRAINT documents_chunk_id_key UNIQUE,
  document_id uuid NOT NULL,
  ordinal integer NOT NULL,
  content text NOT NULL,
  path text[] NOT NULL,
  provision text,
  page integer,
  refs text[] NOT NULL DEFAULT '{}',
  tokens integer NOT NULL,
  -- Sum of the weights of its terms: the length that BM25 compares.
  length real NOT NULL,
  -- Whose a chunk is, the filters of a search ask of thousands.
  CONSTRAINT documents_chunk_pkey PRIMARY KEY (chunk_no) INCLUDE (document_id),
  CONSTRAINT documents_chunk_ordinal_key UNIQUE (document_id, ordinal),
  CONSTRAINT documents_chunk_document_fkey FOREIGN KEY (document_id) REFERENCES documents_document ON DELETE CASCADE
);
CREATE INDEX documents_chunk_provision ON documents_chunk (provision) WHERE provision IS NOT NULL;

-- What each store was asked to hold, and holds: wanted > applied waits. Rows of removed documents stay until they are gone there.
CREATE TABLE documents_replica (
  store text NOT NULL,
  document_id uuid NOT NULL,
  wanted bigint NOT NULL DEFAULT 1,
  applied bigint NOT NULL DEFAULT 0,
  attempts integer NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL DEFAULT now(),
  error text,
  CONSTRAINT documents_replica_pkey PRIMARY KEY (store, document_id)
);
CREATE INDEX documents_replica_due ON documents_replica (store, next_at) WHERE wanted > applied;
CREATE INDEX documents_replica_unsaid ON documents_replica (store) WHERE wanted > applied AND error IS NULL;
CREATE INDEX documents_replica_document ON documents_replica (document_id);
`;

const search = `
CREATE TABLE search_term (
  term_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT search_term_pkey PRIMARY KEY,
  term text COLLATE "C" NOT NULL CONSTRAINT search_term_term_key UNIQUE,
  -- Chunks that it stands in.
  df integer NOT NULL DEFAULT 0,
  trigrams text[] NOT NULL DEFAULT '{}'
) WITH (fillfactor = 70);
CREATE INDEX search_term_trigrams ON search_term USING gin (trigrams);
CREATE TABLE search_posting (
  term_id integer NOT NULL,
  chunk_no integer NOT NULL,
  weight real NOT NULL,
  -- Of the chunk, as BM25 compares it: fits into the row for nothing, and spares a look at each chunk.
  length real NOT NULL,
  CONSTRAINT search_posting_pkey PRIMARY KEY (term_id, chunk_no) INCLUDE (weight, length)
);
CREATE INDEX search_posting_chunk ON search_posting (chunk_no);
CREATE TABLE search_total (
  is_the_row boolean CONSTRAINT search_total_pkey PRIMARY KEY DEFAULT true CHECK (is_the_row),
  chunks bigint NOT NULL,
  length double precision NOT NULL
);
INSERT INTO search_total VALUES (true, 0, 0);
-- One model with its dimension; the vectors of two are never compared.
CREATE TABLE search_space (
  space_id text CONSTRAINT search_space_pkey PRIMARY KEY,
  model text NOT NULL,
  dimension integer NOT NULL,
  state text NOT NULL CHECK (state IN ('building', 'serving')),
  -- The settings that open its model again.
  opened_with jsonb NOT NULL,
  -- Of the one that documents are embedded in now.
  is_target boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now()
);
`;

const ingestion = `
CREATE TABLE ingestion_scan (
  scan_id uuid CONSTRAINT ingestion_scan_pkey PRIMARY KEY,
  directory_path text NOT NULL,
  chunk_size integer NOT NULL,
  status text NOT NULL CHECK (status IN ('scanning', 'extracting', 'creating_jobs', 'completed', 'error', 'cancelled')),
  files_found integer NOT NULL DEFAULT 0,
  error text,
  created_by text NOT NULL,
  readers text[] NOT NULL,
  tags text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  lease_until timestamptz
);
CREATE INDEX ingestion_scan_open ON ingestion_scan (lease_until) WHERE ended_at IS NULL;

CREATE TABLE ingestion_job (
  job_id uuid CONSTRAINT ingestion_job_pkey PRIMARY KEY,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL CHECK (kind IN ('files', 'directory', 'chunked', 'text')),
  scan_id uuid,
  status text NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'recovered', 'cancelled')),
  created_by text NOT NULL,
  readers text[] NOT NULL,
  tags text[] NOT NULL,
  file_count integer NOT NULL,
  processed_files integer NOT NULL DEFAULT 0,
  failed_files integer NOT NULL DEFAULT 0,
  error_message text,
  -- Failed files were tried again.
  recovered boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  completed_at timestamptz
);
CREATE INDEX ingestion_job_seq ON ingestion_job (seq);
CREATE INDEX ingestion_job_scan ON ingestion_job (scan_id) WHERE scan_id IS NOT NULL;

CREATE TABLE ingestion_file (
  file_id uuid CONSTRAINT ingestion_file_pkey PRIMARY KEY,
  job_id uuid NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  -- Where the bytes are; null once the document has them.
  path text,
  bytes bigint NOT NULL,
  sha256 text NOT NULL,
  status text NOT NULL CHECK (status IN ('pending', 'processing', 'indexing', 'completed', 'failed', 'blocked', 'cancelled', 'unpacked')),
  attempts integer NOT NULL DEFAULT 0,
  -- Attempts that ended with the application.
  crashes integer NOT NULL DEFAULT 0,
  reason text,
  error_message text,
  document_id uuid,
  version integer,
  chunks integer NOT NULL DEFAULT 0,
  characters bigint NOT NULL DEFAULT 0,
  warnings text[] NOT NULL DEFAULT '{}',
  -- How many archives it lay in.
  depth integer NOT NULL DEFAULT 0,
  lease_owner uuid,
  -- Of a file that is worked on: the end of the lease.
  not_before timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT ingestion_file_job_fkey FOREIGN KEY (job_id) REFERENCES ingestion_job ON DELETE CASCADE,
  CONSTRAINT ingestion_file_name_key UNIQUE (job_id, name)
);
CREATE INDEX ingestion_file_waiting ON ingestion_file (not_before, seq) WHERE status IN ('pending', 'processing');
CREATE INDEX ingestion_file_open_names ON ingestion_file (name, seq) WHERE status IN ('pending', 'processing');
CREATE INDEX ingestion_file_indexing ON ingestion_file (document_id) WHERE status = 'indexing';

CREATE TABLE ingestion_upload (
  upload_id uuid CONSTRAINT ingestion_upload_pkey PRIMARY KEY,
  filename text NOT NULL,
  bytes bigint NOT NULL,
  chunk_bytes integer NOT NULL,
  sha256 text,
  received integer[] NOT NULL DEFAULT '{}',
  status text NOT NULL CHECK (status IN ('receiving', 'finalizing', 'completed', 'aborted')),
  job_id uuid,
  created_by text NOT NULL,
  readers text[] NOT NULL,
  tags text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ingestion_upload_open ON ingestion_upload (updated_at) WHERE status = 'receiving';
`;

/** Documents with their versions and chunks, the keyword index, what the stores hold, and how files came in. */
export class Documents1764000400000 implements MigrationInterface {
  name = 'Documents1764000400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(documents);
    await runner.query(search);
    await runner.query(ingestion);
    await runner.query(`ALTER TABLE security_personal_tokens ADD COLUMN groups text[] NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE security_personal_tokens DROP COLUMN groups');
    await runner.query(`DROP TABLE ingestion_upload, ingestion_file, ingestion_job, ingestion_scan, search_space,
      search_total, search_posting, search_term, documents_replica, documents_chunk, documents_version, documents_document`);
  }
}
