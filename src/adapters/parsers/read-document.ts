import { stat } from 'node:fs/promises';
import {
  UnreadableFile,
  type Block,
  type DocumentKind,
  type FileToParse,
  type ParsedDocument,
} from '../../modules/documents/document-parser.port.js';
import { cleanBlocks, cleanText } from './clean-block.js';
import type { OcrRun } from '../ocr/ocr-run.js';
import { fileKind } from './file-kind.js';
import { kindOfName } from './supported.js';
import { parsers } from './parsers.js';
import type { Parsed, SourceFile } from './source-file.js';
import { asUnreadable } from './unreadable.js';

const LONGEST_FACT = 1000;
const MOST_FACTS = 100;
const MOST_WARNINGS = 100;

export type DocumentFacts = Omit<ParsedDocument, 'blocks'>;

/**
 * Reads a file in this process, block by block; the facts come last.
 * @param maxBytes of a file that must be read whole
 * @param ocr reads pictures; null: they are not read
 * @throws UnreadableFile
 */
export async function* readDocument(
  file: FileToParse,
  maxBytes: number,
  ocr: OcrRun | null,
): AsyncGenerator<Block, DocumentFacts> {
  const { size } = await stat(file.path);
  const source: SourceFile = { ...file, bytes: size, maxBytes, ocr };
  const kind = await fileKind(source);
  let any = false;
  let parsed: Parsed;
  try {
    parsed = await parsers[kind](source);
    for await (const block of parsed.blocks)
      for (const clean of cleanBlocks(block)) {
        any = true;
        yield clean;
      }
  } catch (error) {
    throw asUnreadable(error);
  }
  if (!any) throw new UnreadableFile('empty', `The file (${kind}) holds no text. Check that it is the right one.`);
  return factsOf(parsed, kind, file.filename);
}

const short = (text: string): string => cleanText(text).trim().slice(0, LONGEST_FACT);

function factsOf(
  { title, metadata, pages, warnings, unreadPages }: Parsed,
  kind: DocumentKind,
  filename: string,
): DocumentFacts {
  const named = kindOfName(filename);
  const other = named !== null && named !== kind ? [`named as ${named}, but its content is ${kind}; read as that`] : [];
  return {
    kind,
    title: title === null ? null : short(title) || null,
    metadata: Object.fromEntries(
      Object.entries(metadata)
        .slice(0, MOST_FACTS)
        .map(([name, value]) => [short(name), short(value)]),
    ),
    pages,
    unreadPages,
    warnings: [...other, ...warnings].slice(0, MOST_WARNINGS).map(short),
  };
}
