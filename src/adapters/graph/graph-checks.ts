import type { NeighbourQuery } from '../../modules/documents/graph-store.port.js';

const DEEPEST = 3;
const MOST_NEIGHBOURS = 1000;

/** @throws RangeError for a walk without bounds */
export function checkWalk({ depth, limit }: NeighbourQuery): void {
  if (!Number.isInteger(depth) || depth < 1 || depth > DEEPEST)
    throw new RangeError(`the graph is not walked ${depth} steps deep; 1 to ${DEEPEST} are possible`);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_NEIGHBOURS)
    throw new RangeError(`${limit} neighbours cannot be asked for; 1 to ${MOST_NEIGHBOURS} can`);
}
