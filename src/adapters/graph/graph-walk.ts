import type { GraphStep, Neighbour, NeighbourQuery } from '../../modules/documents/graph-store.port.js';
import type { ReaderKey } from '../../modules/documents/replica.port.js';
import type { LinkKind } from './document-links.js';

/** A node, as a chunk is tied to it. */
export interface Joint {
  kind: LinkKind;
  key: string;
  label: string;
  /** The chunk that it was reached from, and its document. */
  chunkId: string;
  documentId: string;
}

/** A node, as it is left for the chunks that are tied to it. */
export interface Node {
  kind: LinkKind;
  key: string;
}

export interface Member extends Node {
  chunkId: string;
  documentId: string;
  /** All chunks that are tied to the node, whoever may read them. */
  size: number;
}

export interface MemberQuery {
  nodes: Node[];
  readers: ReaderKey[] | null;
  documentIds: string[] | null;
  /** Members of a node, the first by chunk id. */
  each: number;
  /** A node with more members has none here. */
  largest: number;
}

/** What a database answers about one step; how steps make a walk is the same for all. */
export interface StepReader {
  /** What the chunks are tied to, of those that the caller may read; a tag of its document counts for every chunk. */
  joints(chunkIds: string[], readers: ReaderKey[] | null): Promise<Joint[]>;
  members(query: MemberQuery): Promise<Member[]>;
}

const MOST_STARTS = 1000;
const MOST_PROVISIONS = 100;
const MOST_JOINTS = 300;
const MOST_MEMBERS = 20_000;
const FEWEST_EACH = 20;
const FRONTIER = 100;
const HUB = 1000;
const DECAY = 0.7;

interface Way {
  edge: GraphStep['edge'];
  leavesAs: LinkKind;
  weight: number;
  /** The more share the node, the less it says. */
  damped: boolean;
}

const ways: Record<LinkKind, Way> = {
  refers: { edge: 'refers_to', leavesAs: 'is', weight: 0.9, damped: false },
  is: { edge: 'referred_by', leavesAs: 'refers', weight: 0.8, damped: false },
  section: { edge: 'same_section', leavesAs: 'section', weight: 0.5, damped: false },
  term: { edge: 'shares_term', leavesAs: 'term', weight: 0.4, damped: true },
  tag: { edge: 'shares_tag', leavesAs: 'tag', weight: 0.3, damped: true },
};

/** A place on the walk, with the best way to it. */
interface Stand {
  score: number;
  path: GraphStep[];
}

/** A node that is left for its members; `score` and `path` are those of a member. */
interface Branch extends Node, Stand {
  damped: boolean;
  /** Its chunks are no members: that a document shares its tag with itself says nothing. */
  apartFrom: string | null;
}

const ORIGIN: Stand = { score: 1, path: [] };

/** Neighbours, best first; each step asks twice, and is bounded in what it follows and in what it finds. */
export async function walk(reader: StepReader, query: NeighbourQuery): Promise<Neighbour[]> {
  const given = query.chunkIds.slice(0, MOST_STARTS);
  const found = new Found(given);
  const provisions = query.provisions.slice(0, MOST_PROVISIONS);
  const arrive = async (branches: Branch[]) => found.add(await membersOf(reader, query, strongest(branches)));
  const themselves = await arrive(
    provisions.map((key) => ({ kind: 'is', key, damped: false, apartFrom: null, ...ORIGIN })),
  );
  let frontier = new Map<string, Stand>([...given.map((id) => [id, ORIGIN] as const), ...themselves]);
  let branches = provisions.map((key) => branchOf({ kind: 'is', key, label: key, documentId: null }, ORIGIN, 1));
  for (let depth = 1; depth <= query.depth; depth += 1) {
    const joints = frontier.size > 0 ? await reader.joints([...frontier.keys()], query.readers) : [];
    branches.push(...joints.map((joint) => branchOf(joint, frontier.get(joint.chunkId) ?? ORIGIN, depth)));
    frontier = await arrive(branches);
    branches = [];
  }
  return found.best(query.limit);
}

type Left = Pick<Joint, 'kind' | 'key' | 'label'> & { documentId: string | null };

function branchOf({ kind, key, label, documentId }: Left, from: Stand, depth: number): Branch {
  const { edge, leavesAs, weight, damped } = ways[kind];
  const score = from.score * weight * (depth > 1 ? DECAY : 1);
  const apartFrom = kind === 'tag' ? documentId : null;
  return { kind: leavesAs, key, damped, apartFrom, score, path: [...from.path, { edge, through: label }] };
}

const nameOf = ({ kind, key }: Node): string => `${kind} ${key}`;

/** Each node once, by its best way; the same in every database. */
function strongest(branches: Branch[]): Branch[] {
  const byName = new Map<string, Branch>();
  for (const branch of branches.toSorted((a, b) => b.score - a.score || compare(pathText(a), pathText(b))))
    if (!byName.has(nameOf(branch))) byName.set(nameOf(branch), branch);
  return [...byName.values()].slice(0, MOST_JOINTS);
}

async function membersOf(reader: StepReader, query: NeighbourQuery, branches: Branch[]): Promise<Neighbour[]> {
  if (branches.length === 0) return [];
  const { readers, documentIds } = query;
  const nodes = branches.map(({ kind, key }) => ({ kind, key }));
  const each = Math.max(FEWEST_EACH, Math.min(HUB, Math.floor(MOST_MEMBERS / nodes.length)));
  const members = await reader.members({ nodes, readers, documentIds, each, largest: HUB });
  const byName = new Map(branches.map((branch) => [nameOf(branch), branch]));
  return members.flatMap((member) => {
    const branch = byName.get(nameOf(member));
    if (!branch || branch.apartFrom === member.documentId) return [];
    const score = branch.score / (branch.damped ? 1 + Math.log10(Math.max(1, member.size)) : 1);
    return [{ chunkId: member.chunkId, documentId: member.documentId, path: branch.path, score }];
  });
}

/** What the walk has found so far, without the chunks that it began with. */
class Found {
  readonly #found = new Map<string, Neighbour>();
  readonly #given: ReadonlySet<string>;

  constructor(given: readonly string[]) {
    this.#given = new Set(given);
  }

  /** Adds what is new or better, and gives the best of that to go on from. */
  add(neighbours: readonly Neighbour[]): Map<string, Stand> {
    const improved = new Map<string, Neighbour>();
    for (const neighbour of neighbours.toSorted(byScore)) {
      const { chunkId, score } = neighbour;
      if (this.#given.has(chunkId) || score <= (this.#found.get(chunkId)?.score ?? 0)) continue;
      this.#found.set(chunkId, neighbour);
      improved.set(chunkId, neighbour);
    }
    return new Map([...improved].slice(0, FRONTIER));
  }

  best(limit: number): Neighbour[] {
    return [...this.#found.values()].toSorted(byScore).slice(0, limit);
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
const pathText = ({ path }: Stand): string => JSON.stringify(path);
const byScore = (a: Neighbour, b: Neighbour): number =>
  b.score - a.score || compare(a.chunkId, b.chunkId) || compare(pathText(a), pathText(b));
