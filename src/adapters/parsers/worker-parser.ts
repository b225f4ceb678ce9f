import {
  DocumentParser,
  UnreadableFile,
  type Block,
  type FileToParse,
  type OcrProgress,
  type ParsedDocument,
} from '../../modules/documents/document-parser.port.js';
import type { OcrOptions } from '../ocr/ocr-options.js';
import { megabytes } from './source-file.js';
import type { ParseProtocol } from './worker-messages.js';
import { WorkerPool } from './worker-pool.js';
import { builtScript } from '../launchers/built-script.js';

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
  /** Null: pictures are not read. Its processes are others than those of texts. */
  ocr: (OcrOptions & { workers: number; memoryMb: number }) | null;
}

type Heard = (progress: OcrProgress) => void;

/** Parses in child processes: a hang, a crash or a bloat ends that process and that file, nothing else. */
export class WorkerParser extends DocumentParser {
  readonly #texts: WorkerPool<ParseProtocol>;
  readonly #pictures: WorkerPool<ParseProtocol> | null;

  constructor(private readonly options: ParserOptions) {
    super();
    const script = { path: builtScript(options.root, 'parsers/parse-worker'), writes: null };
    const { ocr, ...limits } = options;
    this.#texts = new WorkerPool<ParseProtocol>({ ...limits, script });
    this.#pictures =
      ocr &&
      new WorkerPool<ParseProtocol>({
        script,
        workers: ocr.workers,
        memoryMb: ocr.memoryMb,
        // Of a page, and of the text before the first; it begins anew with each page.
        timeoutMs: options.timeoutMs + ocr.pageMs,
      });
  }

  /** Documents with text never wait for those whose pictures are read: these are read again, in processes of their own. */
  async parse(file: FileToParse, signal: AbortSignal, heard: Heard = () => undefined): Promise<ParsedDocument> {
    const pictures = this.#pictures;
    const plain = await this.#ask(this.#texts, file, signal).catch((error: unknown) => {
      if (pictures && error instanceof UnreadableFile && error.reason === 'no_text') return null;
      throw error;
    });
    if (!pictures || plain?.unreadPages === 0) return plain as ParsedDocument;
    try {
      return await this.#ask(pictures, file, signal, heard);
    } catch (error) {
      if (plain && error instanceof UnreadableFile) return withoutPictures(plain, error);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#texts.close();
    this.#pictures?.close();
    return Promise.resolve();
  }

  #ask(
    pool: WorkerPool<ParseProtocol>,
    file: FileToParse,
    signal: AbortSignal,
    heard?: Heard,
  ): Promise<ParsedDocument> {
    return pool.use(signal, async (worker) => {
      const ocr = heard ? this.options.ocr : null;
      const request = { file, maxBytes: this.options.maxFileBytes, ocr };
      const blocks: Block[] = [];
      let left = this.options.maxTextCharacters;
      let pages = ocr?.maxPages ?? 0;
      const facts = await worker.ask(
        request,
        (part) => {
          if ('progress' in part) {
            heard?.(part.progress);
            return pages-- > 0 ? 'more time' : undefined;
          }
          left -= part.blocks.reduce((sum, { text }) => sum + text.length, 0);
          if (left < 0) throw this.#tooMuchText();
          blocks.push(...part.blocks);
          return undefined;
        },
        signal,
      );
      return { ...facts, blocks };
    });
  }

  #tooMuchText(): UnreadableFile {
    const most = megabytes(this.options.maxTextCharacters);
    return new UnreadableFile(
      'too_large',
      `The file holds more than ${most} of text, the most of one document. Split it, or raise CLARA_MAX_TEXT_MB.`,
    );
  }
}

/** What a document has without its pictures, where recognising them was ended. */
const withoutPictures = (plain: ParsedDocument, { message }: UnreadableFile): ParsedDocument => ({
  ...plain,
  warnings: [`${plain.unreadPages} page(s) without a text layer were not recognised: ${message}`, ...plain.warnings],
});
