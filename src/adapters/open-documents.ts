import type { DataSource } from 'typeorm';
import type { Settings } from '../config/settings.js';
import { ArchiveReader } from '../modules/documents/archive-reader.port.js';
import { DocumentParser } from '../modules/documents/document-parser.port.js';
import { DocumentStore } from '../modules/documents/document-store.port.js';
import { Embedder } from '../modules/documents/embedder.port.js';
import { GraphStore } from '../modules/documents/graph-store.port.js';
import { PastEmbedders } from '../modules/documents/past-embedders.port.js';
import { SupportedFiles } from '../modules/documents/supported-files.port.js';
import { VectorStore } from '../modules/documents/vector-store.port.js';
import { JsonbDocuments } from './documents/jsonb-documents.js';
import { OpenedEmbedders } from './embedders/opened-embedders.js';
import type { openEmbedder } from './embedders/open-embedder.js';
import { PostgresGraph } from './graph/postgres-graph.js';
import { Archives } from './parsers/archives.js';
import { ParserFiles } from './parsers/parser-files.js';
import { WorkerParser } from './parsers/worker-parser.js';
import { PgvectorStore } from './vectors/pgvector-store.js';

/** Everything outside that documents need, by port. */
export interface DocumentParts {
  providers: { provide: abstract new (...given: never[]) => unknown; useValue: unknown }[];
  close(): Promise<void>;
}

/** Opens parsers, stores and embedders; nothing is started before its first use, and nothing waits for a server that is down. */
export function openDocuments(
  settings: Settings,
  source: DataSource,
  parts: Parameters<typeof openEmbedder>[1],
): DocumentParts {
  const embedders = new OpenedEmbedders(settings, parts);
  const stores = {
    vectors: new PgvectorStore(source),
    graph: new PostgresGraph(source),
    documents: new JsonbDocuments(source),
  };
  const parser = new WorkerParser({ root: settings.root, ...settings.parser });
  return {
    providers: [
      { provide: VectorStore, useValue: stores.vectors },
      { provide: GraphStore, useValue: stores.graph },
      { provide: DocumentStore, useValue: stores.documents },
      { provide: Embedder, useValue: embedders.open(embedders.current) },
      { provide: PastEmbedders, useValue: embedders },
      { provide: DocumentParser, useValue: parser },
      { provide: ArchiveReader, useValue: new Archives(settings.root, settings.parser) },
      { provide: SupportedFiles, useValue: new ParserFiles() },
    ],
    close: async () => {
      await Promise.all([parser.close(), embedders.close(), ...Object.values(stores).map((store) => store.close())]);
    },
  };
}
