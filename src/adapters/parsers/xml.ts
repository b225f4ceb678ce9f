import type { Block } from '../../modules/documents/document-parser.port.js';
import { parsedOf, type Parsed, type SourceFile } from './source-file.js';
import { textPieces, textSource, type TextSource } from './text-source.js';
import { XmlText } from './xml-text.js';
import { xmlReader } from './xml-events.js';

/** Any XML, streamed: records as rows, running text as paragraphs, titles as headings. */
export async function parseXml(file: SourceFile): Promise<Parsed> {
  const source = await textSource(file);
  return parsedOf(blocks(file, source), { warnings: source.warnings });
}

async function* blocks(file: SourceFile, source: TextSource): AsyncGenerator<Block> {
  const text = new XmlText();
  const reader = xmlReader(text);
  for await (const piece of textPieces(file, source)) {
    reader.write(piece);
    yield* text.take();
  }
  reader.end();
  yield* text.take();
}
