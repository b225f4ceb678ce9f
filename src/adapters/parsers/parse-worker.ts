import type { Block } from '../../modules/documents/document-parser.port.js';
import { readDocument } from './read-document.js';
import { serveParent } from './worker-loop.js';
import type { ParseProtocol } from './worker-messages.js';

/** Blocks go to the parent in batches of this many characters. */
const BATCH_CHARACTERS = 131_072;

serveParent<ParseProtocol>(async ({ file, maxBytes }, say) => {
  const blocks = readDocument(file, maxBytes);
  let batch: Block[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await blocks.next();
    if (done) {
      if (batch.length > 0) await say(batch);
      return value;
    }
    batch.push(value);
    size += value.text.length;
    if (size < BATCH_CHARACTERS) continue;
    await say(batch);
    [batch, size] = [[], 0];
  }
});
