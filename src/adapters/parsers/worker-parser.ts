import {
  DocumentParser,
  UnreadableFile,
  type Block,
  type FileToParse,
  type ParsedDocument,
} from '../../modules/documents/document-parser.port.js';
import { megabytes } from './source-file.js';
import type { ParseProtocol } from './worker-messages.js';
import { WorkerPool } from './worker-pool.js';
import { builtScript } from './built-script.js';

export interface ParserOptions {
  /** Root of the project, which holds `dist`. */
  root: string;
  workers: number;
  memoryMb: number;
  timeoutMs: number;
  /** Of a file whose format must be read whole, and of what a packed one holds. */
  maxFileBytes: number;
  /** Most text of one document, in characters: the application holds it. */
  maxTextCharacters: number;
}

/** Parses in child processes: a hang, a crash or a bloat ends that process and that file, nothing else. */
export class WorkerParser extends DocumentParser {
  readonly #pool: WorkerPool<ParseProtocol>;

  constructor(private readonly options: ParserOptions) {
    super();
    this.#pool = new WorkerPool<ParseProtocol>({
      ...options,
      script: { path: builtScript(options.root, 'parse-worker'), writes: null },
    });
  }

  parse(file: FileToParse, signal: AbortSignal): Promise<ParsedDocument> {
    return this.#pool.use(signal, async (worker) => {
      const request = { file, maxBytes: this.options.maxFileBytes };
      const blocks: Block[] = [];
      let left = this.options.maxTextCharacters;
      const facts = await worker.ask(
        request,
        (part) => {
          left -= part.reduce((sum, { text }) => sum + text.length, 0);
          if (left < 0) throw this.#tooMuchText();
          blocks.push(...part);
        },
        signal,
      );
      return { ...facts, blocks };
    });
  }

  async close(): Promise<void> {
    this.#pool.close();
    return Promise.resolve();
  }

  #tooMuchText(): UnreadableFile {
    const most = megabytes(this.options.maxTextCharacters);
    return new UnreadableFile(
      'too_large',
      `The file holds more than ${most} of text, the most of one document. Split it, or raise CLARA_MAX_TEXT_MB.`,
    );
  }
}
