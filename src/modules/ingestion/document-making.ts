import { lawOf } from '../../language/legal-references.js';
import { languageOf } from '../../language/language-of.js';
import { namedTerms } from '../../language/named-terms.js';
import { chunksOf } from './chunks.js';
import type { Block, ParsedDocument } from '../documents/document-parser.port.js';
import { UnreadableFile } from '../documents/document-parser.port.js';
import type { Belonging, NewDocument } from '../documents/document-publication.port.js';

export interface ChunkSizes {
  maxTokens: number;
  overlapTokens: number;
  countTokens: (texts: string[]) => Promise<number[]>;
}

type Bytes = { sha256: string; bytes: number };

/** As much of a text as shows its language, and what it calls things. */
const LOOK_CHARACTERS = 200_000;
const LONGEST_TITLE = 300;
const MOST_WARNINGS = 100;

/** PostgreSQL takes no NUL, and JSON no half surrogates. */
const storable = (text: string): string => text.toWellFormed().replaceAll('\0', ' ');

const storableBlock = (block: Block): Block => ({ ...block, text: storable(block.text) });

/**
 * What a parsed file becomes.
 * @throws UnreadableFile `empty` or `no_text` where there is nothing to find
 */
export async function makeDocument(
  parsed: ParsedDocument,
  bytes: Bytes,
  belonging: Belonging,
  sizes: ChunkSizes,
): Promise<NewDocument> {
  const blocks = parsed.blocks.map(storableBlock);
  const metadata = Object.fromEntries(
    Object.entries(parsed.metadata).map(([key, value]) => [storable(key), storable(value)]),
  );
  const headings = blocks.filter((block) => block.kind === 'heading').map(({ text }) => text);
  const title = titleOf(parsed.title, headings, belonging.name);
  const law = lawOf({ frontMatter: metadata, title: parsed.title, headings });
  const chunks = await chunksOf(blocks, { ...sizes, law });
  if (chunks.length === 0) throw new UnreadableFile(...nothingFound(parsed));
  const look = beginningOf(blocks);
  return {
    ...belonging,
    ...bytes,
    kind: parsed.kind,
    title,
    language: languageOf(look),
    law,
    terms: namedTerms(look),
    metadata,
    warnings: parsed.warnings.map(storable).slice(0, MOST_WARNINGS),
    pages: parsed.pages,
    characters: blocks.reduce((sum, { text }) => sum + text.length, 0),
    chunks,
  };
}

function titleOf(stated: string | null, headings: string[], name: string): string {
  const found = [stated, headings[0], name.split('/').at(-1)].find((title) => title?.trim());
  return storable(found ?? name)
    .trim()
    .slice(0, LONGEST_TITLE);
}

function beginningOf(blocks: Block[]): string {
  let text = '';
  for (const block of blocks) {
    if (text.length > LOOK_CHARACTERS) break;
    text += `${block.text}\n`;
  }
  return text;
}

const nothingFound = ({ warnings }: ParsedDocument): ['no_text' | 'empty', string] =>
  warnings.length > 0
    ? ['no_text', `the file holds no text: ${warnings.slice(0, 5).join('; ')}`]
    : ['empty', 'the file holds no text'];
