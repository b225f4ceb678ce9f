import type { Block } from '../../modules/documents/document-parser.port.js';
import { frontMatterFacts } from './front-matter.js';
import { markdownBlocks } from './markdown-blocks.js';
import { parsedOf, type Parsed, type SourceFile } from './source-file.js';
import { textLines, textSource } from './text-source.js';

/** Sections of this size are read at a time, so that a long file stays bounded. */
const SECTION_CHARACTERS = 131_072;
const MOST_FRONT_MATTER_LINES = 200;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;

/** Markdown (GitHub's), streamed section by section; YAML front matter becomes metadata. */
export async function parseMarkdown(file: SourceFile): Promise<Parsed> {
  const source = await textSource(file);
  const parsed = parsedOf([], { warnings: source.warnings });
  parsed.blocks = blocks(textLines(file, source), parsed);
  return parsed;
}

async function* blocks(lines: AsyncIterable<string>, parsed: Parsed): AsyncGenerator<Block> {
  for await (const section of sections(withoutFrontMatter(lines, parsed)))
    for (const block of markdownBlocks(section)) {
      if (block.kind === 'heading' && block.level === 1) parsed.title ??= block.text;
      yield block;
    }
}

/** Takes the front matter off the lines and its facts into the document. */
async function* withoutFrontMatter(lines: AsyncIterable<string>, parsed: Parsed): AsyncGenerator<string> {
  let held: string[] | null = [];
  for await (const line of lines) {
    if (held === null) yield line;
    else if (held.length > 0 && /^(?:---|\.\.\.)\s*$/.test(line)) {
      parsed.metadata = frontMatterFacts(held.slice(1).join('\n'));
      parsed.title = parsed.metadata['title'] ?? parsed.metadata['Title'] ?? null;
      held = null;
    } else {
      held.push(line);
      if (held[0]?.trimEnd() === '---' && held.length < MOST_FRONT_MATTER_LINES) continue;
      yield* held;
      held = null;
    }
  }
  if (held) yield* held;
}

/** Parts of the text that end between blocks: before a heading, or at an empty line, outside of fenced code. */
async function* sections(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let open: string[] = [];
  let size = 0;
  let fence: string | null = null;
  for await (const line of lines) {
    const boundary = fence === null && (/^#{1,6}\s/.test(line) || line.trim() === '');
    if (size > SECTION_CHARACTERS && (boundary || size > SECTION_CHARACTERS * 4)) {
      yield open.join('\n');
      [open, size] = [[], 0];
    }
    const mark = FENCE.exec(line)?.[1];
    if (mark && fence === null) fence = mark;
    else if (mark && fence !== null && mark[0] === fence[0] && mark.length >= fence.length) fence = null;
    open.push(line);
    size += line.length + 1;
  }
  if (open.length > 0) yield open.join('\n');
}
