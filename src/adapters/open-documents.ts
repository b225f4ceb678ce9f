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
import { OpenedEmbedders } from './embedders/opened-embedders.js';
import type { openEmbedder } from './embedders/open-embedder.js';
import { Archives } from './parsers/archives.js';
import { ParserFiles } from './parsers/parser-files.js';
import { openStores } from './stores.js';
import { WorkerParser } from './parsers/worker-parser.js';

/** Everything outside that documents need, by port. */
export interface DocumentParts {
  providers: { provide: abstract new (...given: never[]) => unknown; useValue: unknown }[];
  /** For commands, which do without the modules. */
  parts: {
    vectors: VectorStore;
    graph: GraphStore;
    documents: DocumentStore;
    embedder: Embedder;
    past: PastEmbedders;
  };
  close(): Promise<void>;
}

/** Opens parsers, stores and embedders; nothing is started before its first use, and nothing waits for a server that is down. */
export function openDocuments(
  settings: Settings,
  source: DataSource,
  parts: Parameters<typeof openEmbedder>[1],
): DocumentParts {
  const embedders = new OpenedEmbedders(settings, parts);
  const stores = openStores(settings, source);
  const embedder = embedders.open(embedders.current);
  const parser = new WorkerParser({ root: settings.root, ...settings.parser, ocr: settings.ocr });
  return {
    parts: { ...stores, embedder, past: embedders },
    providers: [
      { provide: VectorStore, useValue: stores.vectors },
      { provide: GraphStore, useValue: stores.graph },
      { provide: DocumentStore, useValue: stores.documents },
      { provide: Embedder, useValue: embedder },
      { provide: PastEmbedders, useValue: embedders },
      { provide: DocumentParser, useValue: parser },
      { provide: ArchiveReader, useValue: new Archives(settings.root, settings.parser) },
      { provide: SupportedFiles, useValue: new ParserFiles(settings.ocr ? 'pictures' : 'no pictures') },
    ],
    close: async () => {
      await Promise.all([
        parser.close(),
        embedders.close(),
        stores.vectors.close(),
        stores.graph.close(),
        stores.documents.close(),
      ]);
    },
  };
}
