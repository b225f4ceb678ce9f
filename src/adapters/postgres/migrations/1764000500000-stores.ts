import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Few sets of readers stand behind many rows: a row names its set by number, and a filter compares numbers. */
const readerSets = `
CREATE TABLE store_reader_sets (
  set_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- SHA-256 of the sorted readers as JSON: the list itself may be too long for an index.
  digest text NOT NULL UNIQUE,
  readers text[] NOT NULL
);
CREATE INDEX store_reader_sets_readers ON store_reader_sets USING gin (readers);
`;

const documents = `
CREATE TABLE store_documents (
  document_id uuid PRIMARY KEY,
  version integer NOT NULL,
  chunks integer NOT NULL,
  document jsonb NOT NULL
);
`;

/** Chunks, and what joins them; a section, tag, term or provision is the rows that have its kind and key in common. */
const graph = `
CREATE TABLE store_graph_documents (
  document_id uuid PRIMARY KEY,
  version integer NOT NULL
);
CREATE TABLE store_graph_chunks (
  chunk_id uuid PRIMARY KEY,
  document_id uuid NOT NULL REFERENCES store_graph_documents ON DELETE CASCADE
);
CREATE INDEX store_graph_chunks_document ON store_graph_chunks (document_id);
CREATE TABLE store_graph_edges (
  kind text NOT NULL CHECK (kind IN ('is', 'refers', 'section', 'tag', 'term')),
  key text NOT NULL,
  chunk_id uuid NOT NULL,
  document_id uuid NOT NULL REFERENCES store_graph_documents ON DELETE CASCADE,
  access integer NOT NULL,
  label text NOT NULL,
  PRIMARY KEY (kind, key, chunk_id)
);
CREATE INDEX store_graph_edges_chunk ON store_graph_edges (chunk_id);
CREATE INDEX store_graph_edges_document ON store_graph_edges (document_id);
`;

/** One table a space of vectors, made by a function: the role of the application may make nothing else. */
const vectors = `
CREATE TABLE store_vector_spaces (
  space text PRIMARY KEY CHECK (space ~ '^[a-z0-9_]{1,40}$'),
  dimension integer NOT NULL CHECK (dimension BETWEEN 1 AND 16000),
  opened_at timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION store_install_pgvector() RETURNS boolean LANGUAGE plpgsql
  SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
    CREATE EXTENSION vector SCHEMA public;
  END IF;
  RETURN true;
EXCEPTION WHEN OTHERS THEN
  -- Not there, or nothing that this role may install: only the vectors need it.
  RETURN false;
END $$;
CREATE FUNCTION store_open_space(wanted text, numbers integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  kind CONSTANT text := format(CASE WHEN numbers <= 4000 THEN 'halfvec(%s)' ELSE 'vector(%s)' END, numbers);
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('store_open_space'));
  IF EXISTS (SELECT FROM public.store_vector_spaces s WHERE s.space = wanted) THEN RETURN; END IF;
  IF (SELECT count(*) FROM public.store_vector_spaces) >= 64 THEN
    RAISE EXCEPTION 'there are 64 spaces of vectors already; drop those of models that are used no longer';
  END IF;
  PERFORM public.store_install_pgvector();
  INSERT INTO public.store_vector_spaces (space, dimension) VALUES (wanted, numbers);
  EXECUTE format('CREATE TABLE public.%I (
      chunk_id uuid CONSTRAINT %I PRIMARY KEY, document_id uuid NOT NULL, version integer NOT NULL, access integer NOT NULL,
      embedding %s NOT NULL)', 'store_vectors_' || wanted, 'store_vector_' || wanted, kind);
  EXECUTE format('CREATE INDEX %I ON public.%I (document_id, version)', 'store_document_' || wanted, 'store_vectors_' || wanted);
  EXECUTE format('CREATE INDEX %I ON public.%I (access)', 'store_access_' || wanted, 'store_vectors_' || wanted);
  IF numbers <= 4000 THEN
    EXECUTE format('CREATE INDEX %I ON public.%I USING hnsw (embedding halfvec_cosine_ops)',
      'store_nearest_' || wanted, 'store_vectors_' || wanted);
  END IF;
  IF numbers <= 3800 THEN
    -- In the row: reading it from beside costs more than the distance.
    EXECUTE format('ALTER TABLE public.%I ALTER COLUMN embedding SET STORAGE PLAIN', 'store_vectors_' || wanted);
  END IF;
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO %I', 'store_vectors_' || wanted, session_user);
END $$;
CREATE FUNCTION store_drop_space(unwanted text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('store_open_space'));
  DELETE FROM public.store_vector_spaces WHERE space = unwanted;
  IF FOUND THEN EXECUTE format('DROP TABLE IF EXISTS public.%I', 'store_vectors_' || unwanted); END IF;
END $$;
REVOKE ALL ON FUNCTION store_install_pgvector, store_open_space, store_drop_space FROM PUBLIC;
SELECT store_install_pgvector();
`;

export class Stores1764000500000 implements MigrationInterface {
  name = 'Stores1764000500000';

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [readerSets, documents, graph, vectors]) await runner.query(sql);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      SELECT store_drop_space(space) FROM store_vector_spaces;
      DROP FUNCTION store_open_space, store_drop_space, store_install_pgvector;
      DROP TABLE store_vector_spaces, store_graph_edges, store_graph_chunks, store_graph_documents, store_documents,
        store_reader_sets;`);
  }
}
