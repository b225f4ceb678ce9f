import { isLawOfArticles } from '../../language/law-names.js';
import { legalReferences, provisionKey, provisionOfHeading } from '../../language/legal-references.js';
import { halves, packed, textOf, type Draft } from './chunk-packing.js';
import { sectionsOf, smallerPieces, type Passage, type Piece, type Section } from './chunk-sections.js';
import type { Block } from '../documents/document-parser.port.js';
import type { NewChunk } from '../documents/document-publication.port.js';

export interface ChunkOptions {
  /** At least 16. */
  maxTokens: number;
  /** Repeated from the chunk before in the same section, in whole sentences; less than half of `maxTokens`. */
  overlapTokens: number;
  /** Abbreviation of the law that the document is; null for other documents. */
  law: string | null;
  /** Tokens of each text; called with at most 256 texts. */
  countTokens: (texts: string[]) => Promise<number[]>;
}

const LEAST_TOKENS = 16;
const TEXTS_A_CALL = 256;
const PIECES_AT_ONCE = 4_096;
/** Each round at least halves what is too long. */
const MOST_ROUNDS = 40;

/**
 * Chunks of a document, in order. None crosses a heading or is longer than `maxTokens`; every character of the blocks is
 * in the own text of one chunk, or in a path. @throws RangeError for sizes that cannot be kept
 */
export async function chunksOf(blocks: Iterable<Block>, options: ChunkOptions): Promise<NewChunk[]> {
  checkSizes(options);
  const chunks: NewChunk[] = [];
  for (const sections of inWindows(sectionsOf(blocks))) {
    await measure(sections, options);
    const drafts = sections.flatMap((section) => packed(section.groups, options).map((draft) => ({ section, draft })));
    for (const { section, draft, tokens } of await fitting(drafts, options))
      chunks.push(chunkOf(section, draft, { ordinal: chunks.length, tokens, law: options.law }));
  }
  return chunks;
}

function checkSizes({ maxTokens, overlapTokens }: ChunkOptions): void {
  if (!(maxTokens >= LEAST_TOKENS))
    throw new RangeError(`maxTokens is ${String(maxTokens)}, at least ${String(LEAST_TOKENS)} is needed`);
  if (!(overlapTokens >= 0 && overlapTokens < maxTokens / 2))
    throw new RangeError(
      `overlapTokens is ${String(overlapTokens)}, it must be less than half of maxTokens (${String(maxTokens)})`,
    );
}

/** Sections together that fill the calls of the counter. */
function* inWindows(sections: Iterable<Section>): Generator<Section[]> {
  let window: Section[] = [];
  let pieces = 0;
  for (const section of sections) {
    window.push(section);
    for (const { passages } of section.groups) for (const passage of passages) pieces += passage.pieces.length;
    if (pieces < PIECES_AT_ONCE) continue;
    yield window;
    window = [];
    pieces = 0;
  }
  if (window.length > 0) yield window;
}

/** Counts all pieces, and cuts those that are longer than a chunk. */
async function measure(sections: Section[], options: ChunkOptions): Promise<void> {
  const passages = sections.flatMap(({ groups }) => groups.flatMap((group) => group.passages));
  let waiting = passages.flatMap(({ pieces }) => pieces);
  for (let round = 0; waiting.length > 0; round++) {
    if (round > MOST_ROUNDS)
      throw new RangeError(`a single character has more than ${String(options.maxTokens)} tokens`);
    const counts = await countAll(
      waiting.map(({ text }) => text),
      options,
    );
    for (const [place, piece] of waiting.entries()) piece.tokens = counts[place] ?? 0;
    waiting = passages.flatMap((passage) => cut(passage, options.maxTokens));
  }
}

/** The new pieces of a passage that had pieces longer than a chunk. */
function cut(passage: Passage, maxTokens: number): Piece[] {
  // One less: a line break before the piece may be a token.
  const isLong = ({ tokens }: Piece): boolean => tokens > maxTokens - 1;
  if (!passage.pieces.some(isLong)) return [];
  const cuts = passage.pieces.map((piece) =>
    isLong(piece) ? smallerPieces(piece, (maxTokens * 0.9) / piece.tokens) : [piece],
  );
  passage.pieces = cuts.flat();
  return passage.pieces.filter(({ tokens }) => tokens === 0);
}

interface Placed {
  section: Section;
  draft: Draft;
}

/** Counts the finished texts; what is longer together than its pieces were alone is split again. */
async function fitting(drafts: Placed[], options: ChunkOptions): Promise<(Placed & { tokens: number })[]> {
  let placed = drafts.map((each) => ({ ...each, tokens: -1 }));
  for (let round = 0; round <= MOST_ROUNDS; round++) {
    const uncounted = placed.filter(({ tokens }) => tokens < 0);
    const counts = await countAll(
      uncounted.map(({ draft }) => textOf(draft)),
      options,
    );
    for (const [place, each] of uncounted.entries()) each.tokens = counts[place] ?? 0;
    const isLong = ({ tokens, draft }: { tokens: number; draft: Draft }): boolean =>
      tokens > options.maxTokens && draft.lead.length + draft.own.length > 1;
    if (!placed.some(isLong)) break;
    placed = placed.flatMap((each) =>
      isLong(each) ? halves(each.draft).map((draft) => ({ section: each.section, draft, tokens: -1 })) : [each],
    );
  }
  return placed;
}

async function countAll(texts: string[], { countTokens }: ChunkOptions): Promise<number[]> {
  const counts: number[] = [];
  for (let from = 0; from < texts.length; from += TEXTS_A_CALL) {
    const batch = texts.slice(from, from + TEXTS_A_CALL);
    const found = await countTokens(batch);
    if (found.length !== batch.length)
      throw new Error(`the token counter gave ${String(found.length)} counts for ${String(batch.length)} texts`);
    counts.push(...found);
  }
  return counts;
}

function chunkOf(
  { path }: Section,
  draft: Draft,
  { ordinal, tokens, law }: { ordinal: number; tokens: number; law: string | null },
): NewChunk {
  const provision = law === null ? null : provisionAt(path, law);
  const keys = legalReferences(textOf({ lead: [], own: draft.own }), law).map(({ key }) => key);
  const references = [...new Set(keys)].filter((key): key is string => key !== null && key !== provision);
  const page = draft.own[0]?.page ?? null;
  return {
    ordinal,
    content: textOf(draft),
    path,
    provision,
    page,
    references,
    tokens,
    ocrConfidence: leastConfidence(draft),
  };
}

/** Of the pieces that were recognised in a picture, the least; null: there are none. */
function leastConfidence({ own }: Draft): number | null {
  const seen = own.flatMap(({ ocr }) => ocr ?? []);
  return seen.length === 0 ? null : Math.min(...seen);
}

/** The nearest heading that opens a provision of this law: `Artikel` only in a law of articles, `§` only in others. */
function provisionAt(path: string[], law: string): string | null {
  const sign = isLawOfArticles(law) ? 'Art.' : '§';
  const provisions = path.flatMap((heading) => provisionOfHeading(heading) ?? []);
  const nearest = provisions.findLast((provision) => provision.sign === sign);
  return nearest ? provisionKey(law, nearest.number) : null;
}
