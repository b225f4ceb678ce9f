import type { DataSource } from 'typeorm';
import type { Settings } from '../config/settings.js';
import type { DocumentStore } from '../modules/documents/document-store.port.js';
import type { GraphStore } from '../modules/documents/graph-store.port.js';
import type { VectorStore } from '../modules/documents/vector-store.port.js';
import { CouchDocuments } from './documents/couch-documents.js';
import { JsonbDocuments } from './documents/jsonb-documents.js';
import { Neo4jGraph } from './graph/neo4j-graph.js';
import { PostgresGraph } from './graph/postgres-graph.js';
import { ChromaStore } from './vectors/chroma-store.js';
import { PgvectorStore } from './vectors/pgvector-store.js';

export interface Stores {
  vectors: VectorStore;
  graph: GraphStore;
  documents: DocumentStore;
}

/** The stores that the settings choose, each on its own. Nothing connects before the first call, so none holds the start up. */
export const openStores = ({ stores }: Pick<Settings, 'stores'>, source: DataSource): Stores => ({
  vectors: stores.chroma ? new ChromaStore(stores.chroma) : new PgvectorStore(source),
  graph: stores.neo4j ? new Neo4jGraph(stores.neo4j) : new PostgresGraph(source),
  documents: stores.couchdb ? new CouchDocuments(stores.couchdb) : new JsonbDocuments(source),
});
