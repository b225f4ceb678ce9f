import { strToU8, zipSync } from 'fflate';
import mammoth from 'mammoth';
import { messageOf } from '../../kernel/errors.js';
import { UnreadableFile } from '../../modules/documents/document-parser.port.js';
import { htmlBlocks } from './html-blocks.js';
import { officeFacts } from './office-properties.js';
import { parsedOf, type Parsed, type SourceFile } from './source-file.js';
import { zipParts, type Parts } from './zip-parts.js';

const WANTED = /^(?:\[Content_Types\]\.xml|_rels\/.*|word\/(?:_rels\/)?[^/]*\.(?:xml|rels)|docProps\/core\.xml)$/;

/** Built-in styles besides those that mammoth knows; Word keeps their names in English, LibreOffice may not. */
const STYLES = [
  "p[style-name='Title'] => h1:fresh",
  "p[style-name='Titel'] => h1:fresh",
  ...[1, 2, 3, 4, 5, 6].flatMap((level) => [
    `p[style-name='Überschrift ${level}'] => h${level}:fresh`,
    `p[style-name='heading ${level}'] => h${level}:fresh`,
  ]),
  "p[style-name='Quote'] => blockquote:fresh",
  "p[style-name='Zitat'] => blockquote:fresh",
];

/** The library's own marks from a text to its notes and back. */
const NOTE_MARKS = /<sup><a href="#[^"]*" id="[^"]*">\[\d+\]<\/a><\/sup>| ?<a href="#[^"]*">↑<\/a>/g;

/** Word 2007 and later: headings, lists, tables, footnotes; without headers, footers, comments and pictures. */
export async function parseDocx(file: SourceFile): Promise<Parsed> {
  const parts = await zipParts(file, (name) => WANTED.test(name));
  const { title, metadata } = officeFacts(parts, 'docProps/core.xml');
  const { blocks } = htmlBlocks(await htmlOf(parts));
  return parsedOf(blocks, { title, metadata });
}

/** The checked parts only reach the library: no pictures, no entry that says less than it holds. */
async function htmlOf(parts: Parts): Promise<string> {
  const files = Object.fromEntries([...parts].map(([name, part]) => [name, new Uint8Array(part)]));
  const buffer = Buffer.from(zipSync({ 'empty.txt': strToU8(''), ...files }, { level: 0 }));
  try {
    const { value } = await mammoth.convertToHtml({ buffer }, { styleMap: STYLES, externalFileAccess: false });
    return value.replace(NOTE_MARKS, '');
  } catch (error) {
    throw new UnreadableFile(
      'broken',
      `The Word document cannot be read: ${messageOf(error).slice(0, 200)}. Save it again with the program that made it.`,
    );
  }
}
