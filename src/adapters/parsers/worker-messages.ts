import type { ArchiveEntry, ArchiveLimits } from '../../modules/documents/archive-reader.port.js';
import type { Block, FileToParse, OcrProgress, UnreadableFile } from '../../modules/documents/document-parser.port.js';
import type { OcrOptions } from '../ocr/ocr-options.js';
import type { DocumentFacts } from './read-document.js';

/** What a worker process is asked; one thing at a time. */
interface ParseRequest {
  file: FileToParse;
  maxBytes: number;
  /** Null: pictures are not read. */
  ocr: OcrOptions | null;
}

interface UnrarRequest {
  path: string;
  into: string;
  limits: ArchiveLimits;
}

/** The types of what is asked, told in parts, and answered. */
export interface WorkerProtocol {
  request: object;
  part: unknown;
  result: unknown;
}

export interface ParseProtocol {
  request: ParseRequest;
  part: { blocks: Block[] } | { progress: OcrProgress };
  result: DocumentFacts;
}

export interface UnrarProtocol {
  request: UnrarRequest;
  part: never;
  result: ArchiveEntry[];
}

/** What it says: `ready` once, then for a request any number of `part`s and one `done` or `failed`. */
export type WorkerReply<P extends WorkerProtocol> =
  | { say: 'ready' }
  | { say: 'part'; part: P['part'] }
  | { say: 'done'; result: P['result']; /** Resident, in bytes. */ memory: number }
  | { say: 'failed'; reason: UnreadableFile['reason']; message: string };

/** What the watchdog writes to the standard error before it ends a process that has grown too large. */
export const OUT_OF_MEMORY = 'parser out of memory';
