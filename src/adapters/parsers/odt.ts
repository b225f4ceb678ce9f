import { UnreadableFile } from '../../modules/documents/document-parser.port.js';
import { officeFacts } from './office-properties.js';
import { OdtText } from './odt-text.js';
import { parsedOf, type Parsed, type SourceFile } from './source-file.js';
import { readXml } from './xml-events.js';
import { zipParts } from './zip-parts.js';

const CONTENT = 'content.xml';
const MANIFEST = 'META-INF/manifest.xml';

/** OpenDocument text: headings by outline level, lists, tables, footnotes in place. */
export async function parseOdt(file: SourceFile): Promise<Parsed> {
  const parts = await zipParts(file, (name) => [CONTENT, MANIFEST, 'meta.xml'].includes(name));
  if (parts.get(MANIFEST)?.includes('encryption-data'))
    throw new UnreadableFile('encrypted', 'The document is protected by a password. Save it without one.');
  const content = parts.get(CONTENT);
  if (!content) throw new UnreadableFile('broken', `The document has no ${CONTENT}. Save it again.`);
  const text = new OdtText();
  readXml([content.toString('utf8')], text);
  return parsedOf(text.blocks, officeFacts(parts, 'meta.xml'));
}
