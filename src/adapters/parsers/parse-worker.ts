import type { Block, OcrProgress } from '../../modules/documents/document-parser.port.js';
import type { OcrOptions } from '../ocr/ocr-options.js';
import type { OcrRun } from '../ocr/ocr-run.js';
import { PageReader } from '../ocr/page-reader.js';
import { readDocument } from './read-document.js';
import { serveParent } from './worker-loop.js';
import type { ParseProtocol } from './worker-messages.js';

/** Blocks go to the parent in batches of this many characters. */
const BATCH_CHARACTERS = 131_072;

/** One process serves one application, whose settings do not change: it is started once. */
let reader: PageReader | null = null;

function ocrRun(options: OcrOptions, tell: (progress: OcrProgress) => Promise<void>): OcrRun {
  const own = (reader ??= new PageReader(options.languages, options.pageMs));
  return { options, tell, read: (picture) => own.read(picture) };
}

serveParent<ParseProtocol>(async ({ file, maxBytes, ocr }, say) => {
  const run = ocr && ocrRun(ocr, (progress) => say({ progress }));
  const blocks = readDocument(file, maxBytes, run);
  let batch: Block[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await blocks.next();
    if (done) {
      if (batch.length > 0) await say({ blocks: batch });
      return value;
    }
    batch.push(value);
    size += value.text.length;
    if (size < BATCH_CHARACTERS) continue;
    await say({ blocks: batch });
    [batch, size] = [[], 0];
  }
});
