import type { OcrProgress } from '../../modules/documents/document-parser.port.js';
import type { OcrOptions } from './ocr-options.js';
import type { Picture, RecognisedLine } from './recognition.js';

/** Recognition for one file. */
export interface OcrRun {
  options: OcrOptions;
  /** @throws SlowPage or Error where the picture gives nothing */
  read: (picture: Picture) => Promise<RecognisedLine[]>;
  /** Before each page, and when the last is done. */
  tell: (progress: OcrProgress) => Promise<void>;
}
