import type { ArchiveEntry, ArchiveLimits } from '../../modules/documents/archive-reader.port.js';
import type { Block, FileToParse, UnreadableFile } from '../../modules/documents/document-parser.port.js';
import type { DocumentFacts } from './read-document.js';

/** What a worker process is asked; one thing at a time. */
export interface ParseRequest {
  file: FileToParse;
  maxBytes: number;
}

export interface UnrarRequest {
  path: string;
  into: string;
  limits: ArchiveLimits;
}

/** What it says: `ready` once, then for a request any number of `part`s and one `done` or `failed`. */
export type WorkerReply<Part, Result> =
  | { say: 'ready' }
  | { say: 'part'; part: Part }
  | { say: 'done'; result: Result; /** Resident, in bytes. */ memory: number }
  | { say: 'failed'; reason: UnreadableFile['reason']; message: string };

export type ParseReply = WorkerReply<Block[], DocumentFacts>;
export type UnrarReply = WorkerReply<never, ArchiveEntry[]>;

/** What the watchdog writes to the standard error before it ends a process that has grown too large. */
export const OUT_OF_MEMORY = 'parser out of memory';
