import { createHash } from 'node:crypto';
import type { SplitConfig } from './dataset-record.js';
import type { Split } from './version-row.js';

/** Up to this much above its share a part may come by a group that is taken whole. */
const OVERSHOOT = 1.5;

/** Groups that were found to belong together: the parts of one set are on one side. */
export class Groups {
  readonly #ids = new Map<string, number>();
  readonly #parents: number[] = [];

  /** The number of a name, the same for the same name. */
  id(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = this.#parents.length;
    this.#ids.set(name, id);
    this.#parents.push(id);
    return id;
  }

  join(a: number, b: number): void {
    this.#parents[this.root(a)] = this.root(b);
  }

  root(id: number): number {
    let at = id;
    for (let parent = this.#parents[at]; parent !== undefined && parent !== at; parent = this.#parents[at]) {
      this.#parents[at] = this.#parents[parent] ?? parent;
      at = parent;
    }
    return at;
  }
}

export interface Group {
  /** Names it over all versions, so that a document stays on its side where it can. */
  name: string;
  rows: number;
}

const place = (seed: number, name: string): string => createHash('sha256').update(`${seed}:${name}`).digest('hex');

/**
 * Puts whole groups into the splits, by a hash of the seed and their names: the same groups always fall alike.
 * A part that is wanted gets at least one group where there are enough of them; train is never empty.
 */
export function splitGroups(groups: readonly Group[], config: SplitConfig): Map<string, Split> {
  const total = groups.reduce((sum, { rows }) => sum + rows, 0);
  const ordered = groups
    .map((group) => ({ ...group, at: place(config.seed, group.name) }))
    .toSorted((a, b) => (a.at < b.at ? -1 : 1));
  const parts = (['validation', 'test'] as const)
    .filter((split) => config[split] > 0)
    .map((split) => ({ split, left: config[split] * total, groups: 0 }));
  const result = new Map<string, Split>();
  let inTrain = groups.length;
  for (const { name, rows } of ordered) {
    const part = parts.find(({ left, groups: taken }) => left > 0 && rows <= left * OVERSHOOT && taken < groups.length);
    result.set(name, part && inTrain > 1 ? part.split : 'train');
    if (!part || inTrain <= 1) continue;
    part.left -= rows;
    part.groups += 1;
    inTrain -= 1;
  }
  for (const part of parts.filter(({ groups: taken }) => taken === 0)) {
    const smallest = ordered.filter(({ name }) => result.get(name) === 'train').toSorted((a, b) => a.rows - b.rows)[0];
    if (smallest && inTrain > 1) {
      result.set(smallest.name, part.split);
      inTrain -= 1;
    }
  }
  return result;
}
