import { htmlBlocks } from './html-blocks.js';
import { parsedOf, type Parsed, type SourceFile } from './source-file.js';
import { textSource, wholeText } from './text-source.js';

/** HTML: the main content without scripts, navigation and frame. */
export async function parseHtml(file: SourceFile): Promise<Parsed> {
  const source = await textSource(file);
  const { title, metadata, blocks } = htmlBlocks(await wholeText(file, source));
  return parsedOf(blocks, { title, metadata, warnings: source.warnings });
}
