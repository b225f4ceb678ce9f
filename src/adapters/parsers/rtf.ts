import { RtfText } from './rtf-text.js';
import { rtfTokens } from './rtf-tokens.js';
import { factsOf } from './front-matter.js';
import { parsedOf, wholeFile, type Parsed, type SourceFile } from './source-file.js';

/**
 * RTF 1.9. Our own reader: the libraries at hand either unpack mail only (rtf-stream-parser) or are given up and lose
 * \uN fallbacks and the code pages of fonts (rtf-parser).
 */
export async function parseRtf(file: SourceFile): Promise<Parsed> {
  const text = new RtfText();
  for (const token of rtfTokens(await wholeFile(file))) text.take(token);
  text.end();
  const { title, ...metadata } = factsOf(text.facts);
  return parsedOf(text.blocks, { title: title ?? null, metadata });
}
