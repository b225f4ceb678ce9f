import type { Group, Passage, Piece } from './chunk-sections.js';

/** A chunk before its last count. */
export interface Draft {
  /** Repeated from the chunk before, or the header of the table. */
  lead: Piece[];
  own: Piece[];
}

export interface Sizes {
  maxTokens: number;
  overlapTokens: number;
}

/** A group that must be split begins a new chunk where the open one is already filled to this part. */
const FILLED = 0.25;

/**
 * Groups of one section in as few chunks as keep their order: whole groups where they fit, else whole passages, else
 * pieces. Every piece is the own text of exactly one chunk.
 */
export function packed(groups: readonly Group[], sizes: Sizes): Draft[] {
  const packing = new Packing(sizes);
  for (const group of groups) packing.addGroup(group);
  return packing.finish();
}

/** A line break may be a token of its own. */
const costOf = ({ tokens, gap }: Piece): number => tokens + (gap.includes('\n') ? 1 : 0);

function costOfAll(pieces: readonly Piece[]): number {
  let cost = 0;
  for (const piece of pieces) cost += costOf(piece);
  return cost;
}

class Packing {
  private readonly drafts: Draft[] = [];
  private lead: Piece[] = [];
  private own: Piece[] = [];
  private ownCost = 0;

  constructor(private readonly sizes: Sizes) {}

  addGroup({ passages, isTable }: Group): void {
    const { maxTokens } = this.sizes;
    const pieces = passages.flatMap((passage) => passage.pieces);
    const cost = costOfAll(pieces);
    if (this.hasRoom(cost)) return this.put(pieces, cost);
    if (cost <= maxTokens) {
      this.flush();
      return this.put(pieces, cost);
    }
    if (this.ownCost > maxTokens * FILLED) this.flush();
    const header = isTable ? (passages[0]?.pieces ?? []) : [];
    for (const [place, passage] of passages.entries()) this.addPassage(passage, place > 0 ? header : []);
  }

  finish(): Draft[] {
    this.flush();
    return this.drafts;
  }

  private addPassage({ pieces }: Passage, header: Piece[]): void {
    const cost = costOfAll(pieces);
    if (this.hasRoom(cost)) return this.put(pieces, cost);
    if (cost + costOfAll(header) <= this.sizes.maxTokens) {
      this.flush(header);
      return this.put(pieces, cost);
    }
    for (const piece of pieces) {
      if (!this.hasRoom(costOf(piece))) this.flush(header);
      this.put([piece], costOf(piece));
    }
  }

  private hasRoom(cost: number): boolean {
    const lead = this.own.length > 0 ? costOfAll(this.lead) : 0;
    return lead + this.ownCost + cost <= this.sizes.maxTokens;
  }

  /** What is repeated gives way to what is new. */
  private put(pieces: Piece[], cost: number): void {
    while (this.lead.length > 0 && costOfAll(this.lead) + this.ownCost + cost > this.sizes.maxTokens) this.lead.shift();
    for (const piece of pieces) this.own.push(piece);
    this.ownCost += cost;
  }

  private flush(header: Piece[] = []): void {
    if (this.own.length === 0) return;
    this.drafts.push({ lead: this.lead, own: this.own });
    this.lead = header.length > 0 ? this.headerFor(header) : this.overlap();
    this.own = [];
    this.ownCost = 0;
  }

  /** A header of more than half a chunk is not repeated. */
  private headerFor(header: Piece[]): Piece[] {
    return costOfAll(header) * 2 <= this.sizes.maxTokens ? [...header] : [];
  }

  /** The last whole sentences, as many as the overlap allows. */
  private overlap(): Piece[] {
    let room = this.sizes.overlapTokens;
    let from = this.own.length;
    for (; from > 0; from--) {
      const piece = this.own[from - 1];
      if (!piece?.isSentence || costOf(piece) > room) break;
      room -= costOf(piece);
    }
    return this.own.slice(from);
  }
}

/** The text of a chunk. */
export function textOf({ lead, own }: Draft): string {
  return [...lead, ...own].map(({ gap, text }, place) => (place === 0 ? text : gap + text)).join('');
}

/** A draft that turned out too long, in two; without its lead, where it has one. */
export function halves({ lead, own }: Draft): Draft[] {
  if (lead.length > 0) return [{ lead: [], own }];
  const middle = Math.ceil(own.length / 2);
  return [
    { lead: [], own: own.slice(0, middle) },
    { lead: [], own: own.slice(middle) },
  ].filter((half) => half.own.length > 0);
}
