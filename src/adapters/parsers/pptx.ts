import { posix } from 'node:path';
import { UnreadableFile, type Block } from '../../modules/documents/document-parser.port.js';
import { officeFacts } from './office-properties.js';
import { SlideText } from './slide-text.js';
import { parsedOf, type Parsed, type SourceFile } from './source-file.js';
import { readXml } from './xml-events.js';
import { zipParts, type Parts } from './zip-parts.js';

const WANTED =
  /^ppt\/(?:presentation\.xml|_rels\/presentation\.xml\.rels|(?:slides|notesSlides)\/(?:_rels\/)?[^/]+\.(?:xml|rels))$|^docProps\/core\.xml$/;
const PRESENTATION = 'ppt/presentation.xml';

/** PowerPoint 2007 and later: a page a slide, its title as heading, then text, tables and notes. */
export async function parsePptx(file: SourceFile): Promise<Parsed> {
  const parts = await zipParts(file, (name) => WANTED.test(name));
  if (!parts.has(PRESENTATION))
    throw new UnreadableFile('broken', `The presentation has no ${PRESENTATION}. Save it again.`);
  const { title, metadata } = officeFacts(parts, 'docProps/core.xml');
  const slides = slidesInOrder(parts);
  return parsedOf(slideBlocks(parts, slides), { title, metadata, pages: slides.length });
}

function slidesInOrder(parts: Parts): string[] {
  const ids: string[] = [];
  read(parts, PRESENTATION, (name, attributes) => {
    if (name === 'sldId') ids.push(attributes['r:id'] ?? '');
  });
  const targets = relations(parts, PRESENTATION);
  return ids.flatMap((id) => targets.get(id)?.target ?? []);
}

/** What a part refers to, by id. */
function relations(parts: Parts, of: string): Map<string, { type: string; target: string }> {
  const found = new Map<string, { type: string; target: string }>();
  const folder = posix.dirname(of);
  read(parts, `${folder}/_rels/${posix.basename(of)}.rels`, (name, attributes) => {
    const { Id: id, Type: type = '', Target: target } = attributes;
    if (name === 'Relationship' && id && target && attributes['TargetMode'] !== 'External')
      found.set(id, { type, target: target.startsWith('/') ? target.slice(1) : posix.join(folder, target) });
  });
  return found;
}

function read(
  parts: Parts,
  part: string,
  open: (name: string, attributes: Readonly<Record<string, string>>) => void,
): void {
  const text = parts.get(part)?.toString('utf8');
  if (text !== undefined) readXml([text], { open, text: () => undefined, close: () => undefined });
}

function* slideBlocks(parts: Parts, slides: readonly string[]): Generator<Block> {
  for (const [at, slide] of slides.entries()) {
    const page = at + 1;
    yield* withTitle(textOf(parts, slide)).map((block) => ({ ...block, page }));
    const notes = [...relations(parts, slide).values()].find(({ type }) => type.endsWith('/notesSlide'))?.target;
    if (notes) yield* textOf(parts, notes).map((block) => ({ ...block, kind: 'quote' as const, page }));
  }
}

const LONGEST_TITLE = 120;

/** A slide without a title placeholder: its first short line is what one sees as the title. */
function withTitle(blocks: Block[]): Block[] {
  const [first, ...rest] = blocks;
  if (first?.kind !== 'paragraph' || first.text.length > LONGEST_TITLE || rest.some(({ kind }) => kind === 'heading'))
    return blocks;
  return [{ kind: 'heading', level: 1, text: first.text }, ...rest];
}

function textOf(parts: Parts, part: string): Block[] {
  const text = new SlideText();
  const xml = parts.get(part)?.toString('utf8');
  if (xml !== undefined) readXml([xml], text);
  return text.blocks;
}
