import type { Block } from '../../modules/documents/document-parser.port.js';
import type { PdfLine } from './pdf-lines.js';
import { divisionLevel, joinTwo, startsListItem } from './plain-paragraphs.js';

const HEADING_LEVELS = 6;
/** A line is a heading when its font is this much larger than that of the text. */
const LARGER = 1.15;
const LONGEST_HEADING = 200;
/** A gap between baselines wider than this, in font sizes, parts paragraphs. */
const PARAGRAPH_GAP = 1.75;
/** From this many pages on, what stands at the edge of most is a running head. */
const RUNNING_PAGES = 3;

export interface PdfPage {
  number: number;
  lines: PdfLine[];
  /** Confidence (0 to 100) of lines that were recognised in a picture. */
  ocr?: number;
}

/** Blocks of the pages: lines joined to paragraphs, also over the end of a page; running heads and page numbers left out. */
export function pdfBlocks(pages: readonly PdfPage[]): Block[] {
  const running = runningLines(pages);
  const levels = headingLevels(pages);
  const blocks: Block[] = [];
  for (const page of pages) {
    const { lines } = page;
    const kept = lines.filter((line, at) => !isFrame(line, { at, of: lines.length, running }));
    for (const block of pageBlocks(kept, levels, page)) addBlock(blocks, block);
  }
  return blocks;
}

const sizeOf = (line: PdfLine): number => Math.round(line.size * 2) / 2;

/** Levels by font size: the largest is 1. */
function headingLevels(pages: readonly PdfPage[]): Map<number, number> {
  const characters = new Map<number, number>();
  for (const { lines } of pages)
    for (const line of lines) characters.set(sizeOf(line), (characters.get(sizeOf(line)) ?? 0) + line.text.length);
  const body = [...characters].toSorted((one, other) => other[1] - one[1])[0]?.[0] ?? 0;
  const larger = [...characters.keys()].filter((size) => size >= body * LARGER).toSorted((one, other) => other - one);
  return new Map(larger.map((size, at) => [size, Math.min(HEADING_LEVELS, at + 1)]));
}

const withoutNumbers = (text: string): string => text.replace(/\d+/g, '#').trim();
const EDGE = 2;
/** The dots between an entry of a table of contents and its page. */
const LEADERS = /(?:\s?\.){5,}\s*/;

function runningLines(pages: readonly PdfPage[]): Set<string> {
  if (pages.length < RUNNING_PAGES) return new Set();
  const seen = new Map<string, number>();
  for (const { lines } of pages) {
    const edges = [...lines.slice(0, EDGE), ...lines.slice(-EDGE)].map(({ text }) => withoutNumbers(text));
    for (const text of new Set(edges)) seen.set(text, (seen.get(text) ?? 0) + 1);
  }
  return new Set(
    [...seen].filter(([, count]) => count >= Math.max(RUNNING_PAGES, pages.length * 0.6)).map(([text]) => text),
  );
}

function isFrame(line: PdfLine, where: { at: number; of: number; running: Set<string> }): boolean {
  if (where.at >= EDGE && where.at < where.of - EDGE) return false;
  const last = where.at === 0 || where.at === where.of - 1;
  return (
    where.running.has(withoutNumbers(line.text)) ||
    (last &&
      where.of > 1 &&
      /^(?:[-–]\s*)?(?:Seite|Page|S\.)?\s*\d{1,4}(?:\s*(?:\/|von|of)\s*\d{1,4})?(?:\s*[-–])?$/i.test(line.text))
  );
}

function pageBlocks(lines: readonly PdfLine[], levels: ReadonlyMap<number, number>, from: PdfPage): Block[] {
  const blocks: Block[] = [];
  let before: PdfLine | null = null;
  const place = { page: from.number, ...(from.ocr === undefined ? {} : { ocr: from.ocr }) };
  const edges = { left: Math.min(...lines.map(({ x }) => x)), right: Math.max(0, ...lines.map((line) => line.right)) };
  for (const line of lines) {
    const level = levelOf(line, levels);
    const open = blocks.at(-1);
    if (open && before && follows(before, line, edges) && sameKind(open, level, before, line))
      open.text = joinTwo(open.text, line.text);
    else if (line.cells > 1) blocks.push({ kind: 'table_row', text: line.text, ...place });
    else if (level !== null) blocks.push({ kind: 'heading', level, text: line.text, ...place });
    else blocks.push({ kind: startsListItem(line.text) ? 'list_item' : 'paragraph', text: line.text, ...place });
    before = line;
  }
  return blocks.map((block) => withDivision({ ...block, text: block.text.replace(LEADERS, ' … ') }));
}

const levelOf = (line: PdfLine, levels: ReadonlyMap<number, number>): number | null =>
  line.text.length <= LONGEST_HEADING && !LEADERS.test(line.text) && /[\p{L}\d]/u.test(line.text)
    ? (levels.get(sizeOf(line)) ?? null)
    : null;

/** A statute's heading in the font of the text is known by its words. */
function withDivision(block: Block): Block {
  const level = block.kind === 'paragraph' ? divisionLevel(block.text) : null;
  return level === null ? block : { ...block, kind: 'heading', level };
}

/** A wrapped line fills at least this share of the width. */
const FILLED = 0.6;

function follows(before: PdfLine, line: PdfLine, edges: { left: number; right: number }): boolean {
  if (before.cells > 1 || line.cells > 1 || LEADERS.test(before.text)) return false;
  const gap = before.y - line.y;
  const size = Math.max(before.size, line.size);
  if (gap < -size) return line.x > before.x;
  if (gap > size * PARAGRAPH_GAP || startsListItem(line.text) || divisionLevel(line.text) !== null) return false;
  if (divisionLevel(before.text) !== null) return false;
  const filled = (before.right - edges.left) / (edges.right - edges.left || 1);
  // A short line ends its paragraph, the sooner where it ends a sentence.
  return filled > FILLED && !(filled < 0.85 && /[.:!?]$/.test(before.text) && gap > size * 1.35);
}

function sameKind(open: Block, level: number | null, before: PdfLine, line: PdfLine): boolean {
  if (open.kind === 'heading') return level === open.level && before.size === line.size;
  return level === null;
}

/** A paragraph that runs on over the end of a page stays one. */
function addBlock(blocks: Block[], block: Block): void {
  const last = blocks.at(-1);
  const runsOn =
    last?.kind === 'paragraph' &&
    block.kind === 'paragraph' &&
    last.page !== block.page &&
    !/[.:!?"“”)]$/.test(last.text) &&
    /^\p{Ll}/u.test(block.text);
  if (runsOn && last) {
    last.text = joinTwo(last.text, block.text);
    if (block.ocr !== undefined) last.ocr = Math.min(block.ocr, last.ocr ?? block.ocr);
  } else blocks.push(block);
}
