import { measureSearch } from './search-100k.mjs';

export const title = 'the search over a million chunks: times, recall, and what bounds cost';
export const usage = '--rows N (1000000 chunks) --laws FOLDER (shared/data/gesetze, which it needs)';

const CHUNKS = 1_000_000;
const MOST_MS = 150;

/** @returns {Promise<import('../report.mjs').Result>} */
export const run = (bench) => measureSearch(bench, { chunks: CHUNKS, mostMs: MOST_MS });
