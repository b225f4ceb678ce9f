import { sentencesOf } from '../../language/german-sentences.js';
import type { Block } from '../documents/document-parser.port.js';

/** A sentence, a line of code, a row of a table, or a part of such a one that is too long. */
export interface Piece {
  text: string;
  /** What joins it to the piece before it. */
  gap: '' | ' ' | '\n' | '\n\n';
  /** May be repeated as overlap. */
  isSentence: boolean;
  page: number | null;
  /** Confidence (0 to 100) of text that was recognised in a picture; null for other text. */
  ocr: number | null;
  /** 0 until counted. */
  tokens: number;
}

/** A block: a paragraph, list item, row and so on. */
export interface Passage {
  pieces: Piece[];
}

/** Passages that belong together: an Absatz with its list, a paragraph with the list after it, or a table. */
export interface Group {
  passages: Passage[];
  /** Of a table: its first row, repeated wherever the table is split. */
  isTable: boolean;
}

/** What stands under one heading, up to the next. */
export interface Section {
  /** Headings, outermost first, white space collapsed, each at most 300 characters. */
  path: string[];
  groups: Group[];
}

const LONGEST_IN_PATH = 300;
/** A piece is cut to this length before it is counted, so that no counter gets a text without end. */
const LONGEST_PIECE = 4_000;
const absatz = /^\s*\(\d{1,3}[a-z]{0,2}\)(?=\s)/;

type Body = Exclude<Block, { kind: 'heading' }>;

interface OpenSection {
  blocks: Body[];
  headings: { level: number; text: string }[];
  /** Of the section's own heading, which stands at the end of the path. */
  heading: Extract<Block, { kind: 'heading' }> | null;
}

/** Sections in order. A heading with nothing below it is the text of its own section. */
export function* sectionsOf(blocks: Iterable<Block>): Generator<Section> {
  let open: OpenSection = { blocks: [], headings: [], heading: null };
  for (const block of blocks) {
    if (block.kind !== 'heading') {
      open.blocks.push(block);
      continue;
    }
    yield* closed(open, block.level);
    const above = open.headings.filter(({ level }) => level < block.level);
    open = { blocks: [], headings: [...above, { level: block.level, text: shortened(block.text) }], heading: block };
  }
  yield* closed(open, 0);
}

function* closed({ blocks, headings, heading }: OpenSection, nextLevel: number): Generator<Section> {
  const isInPath = nextLevel > (heading?.level ?? Infinity);
  const isWhole = heading !== null && collapsed(heading.text).length <= LONGEST_IN_PATH;
  const repeated = heading && !(isWhole && (isInPath || blocks.some(({ text }) => text.trim() !== '')));
  const groups = groupsOf(
    repeated ? [{ ...heading, text: collapsed(heading.text), kind: 'paragraph' }, ...blocks] : blocks,
  );
  if (groups.length > 0) yield { path: headings.map(({ text }) => text).filter((text) => text !== ''), groups };
}

const collapsed = (text: string): string => text.replace(/\s+/g, ' ').trim();

function shortened(heading: string): string {
  const text = collapsed(heading);
  return text.length > LONGEST_IN_PATH ? `${text.slice(0, LONGEST_IN_PATH - 1)}…` : text;
}

function groupsOf(blocks: Body[]): Group[] {
  const groups: Group[] = [];
  let before: Body | null = null;
  let isInAbsatz = false;
  for (const block of blocks) {
    const passage = passageOf(block, before);
    if (passage.pieces.length === 0) continue;
    const isTable = block.kind === 'table_row';
    const last = groups.at(-1);
    const opensAbsatz = block.kind === 'paragraph' && absatz.test(block.text);
    const belongs = isTable
      ? last?.isTable
      : !last?.isTable && !opensAbsatz && (isInAbsatz || block.kind === 'list_item');
    if (last && belongs) last.passages.push(passage);
    else groups.push({ passages: [passage], isTable });
    isInAbsatz = opensAbsatz || (isInAbsatz && !isTable);
    before = block;
  }
  return groups;
}

function passageOf(block: Body, before: Body | null): Passage {
  const isLine = (kind: Body['kind']): boolean => kind === 'list_item' || kind === 'table_row';
  const first = before === null ? '' : isLine(block.kind) || isLine(before.kind) ? '\n' : '\n\n';
  const isProse = block.kind !== 'table_row' && block.kind !== 'code';
  const parts = isProse
    ? sentencesOf(block.text.trim())
    : block.kind === 'code'
      ? linesOf(block.text)
      : [block.text.trim()];
  const pieces: Piece[] = [];
  let gap: Piece['gap'] = first;
  for (const part of parts) {
    for (const { text, ...joint } of shortParts(part, LONGEST_PIECE)) {
      const ownGap: Piece['gap'] = joint.isFirst ? gap : joint.gap;
      pieces.push({
        text,
        gap: ownGap,
        isSentence: isProse && joint.isOnly,
        page: block.page ?? null,
        ocr: block.ocr ?? null,
        tokens: 0,
      });
    }
    gap = part.trim() === '' ? gap : gapAfter(part);
  }
  return { pieces };
}

const linesOf = (text: string): string[] => text.split(/(?<=\n)/);
const gapAfter = (part: string): ' ' | '\n' => (/\n\s*$/.test(part.slice(-200)) ? '\n' : ' ');

interface Part {
  text: string;
  gap: '' | ' ' | '\n';
  isFirst: boolean;
  isOnly: boolean;
}

/** Parts of at most so many UTF-16 units: cut at white space where there is any, never inside of a character. */
function shortParts(text: string, length: number): Part[] {
  const trimmed = text.trimEnd();
  const parts: Part[] = [];
  let gap: Part['gap'] = '';
  for (let at = 0; at < trimmed.length;) {
    const end = cutBefore(trimmed, at, at + length);
    const piece = trimmed.slice(at, end);
    const rest = /\S/.exec(trimmed.slice(end, end + length))?.index ?? 0;
    if (piece.trim() !== '') parts.push({ text: piece.trimEnd(), gap, isFirst: parts.length === 0, isOnly: false });
    gap = rest > 0 || /\s$/.test(piece) ? ' ' : '';
    at = end + rest;
  }
  return parts.length === 1 ? parts.map((part) => ({ ...part, isOnly: true })) : parts;
}

function cutBefore(text: string, from: number, to: number): number {
  if (to >= text.length) return text.length;
  for (let at = to; at > from + (to - from) / 2; at--) if (/\s/.test(text.charAt(at))) return at;
  const isInPair = /[\uD800-\uDBFF]/.test(text.charAt(to - 1));
  if (!isInPair) return to;
  return to - 1 > from ? to - 1 : to + 1;
}

/** The piece in parts of about the given share of its length; only one where it cannot be cut any more. */
export function smallerPieces(piece: Piece, share: number): Piece[] {
  const length = Math.max(1, Math.floor(piece.text.length * Math.min(share, 0.5)));
  return shortParts(piece.text, length).map(({ text, gap, isFirst }) => ({
    ...piece,
    text,
    gap: isFirst ? piece.gap : gap,
    isSentence: false,
    tokens: 0,
  }));
}
