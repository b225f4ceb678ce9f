import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/root.mjs';

const FOLDER = join(root, 'bench', 'search', 'documents');
const WIDTH = 78;
/** What fits on a page in 11 pt. */
const MOST_LINES = 44;

/** Pages of German text, in lines: two documents of administration each. @param {number} count */
export function germanPages(count) {
  const names = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.md'))
    .toSorted();
  return Array.from({ length: count }, (_, page) =>
    [2 * page, 2 * page + 1]
      .flatMap((at) => linesOf(readFileSync(join(FOLDER, names[at % names.length]), 'utf8')).concat(''))
      .slice(0, MOST_LINES),
  );
}

/** @param {string} markdown */
function linesOf(markdown) {
  return markdown
    .replace(/\*\*|^#+ |^- /gm, '')
    .split('\n')
    .flatMap((line, at) => (line === '' || at === 0 ? [at === 0 ? `# ${line}` : line] : wrapped(line)));
}

/** @param {string} text */
function wrapped(text) {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const open = lines.at(-1);
    if (open !== '' && open.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = open === '' ? word : `${open} ${word}`;
  }
  return lines;
}

/** @param {string} text */
export const wordsOf = (text) => text.split(/\s+/).filter((word) => word !== '' && word !== '#');

/**
 * Words that were missed, added or wrong: the distance of Levenshtein over words.
 * @param {string[]} right @param {string[]} read
 */
export function wrongWords(right, read) {
  let before = Array.from({ length: read.length + 1 }, (_, at) => at);
  for (const [row, word] of right.entries()) {
    const now = [row + 1];
    for (const [at, other] of read.entries())
      now.push(Math.min(now[at] + 1, before[at + 1] + 1, before[at] + (word === other ? 0 : 1)));
    before = now;
  }
  return before[read.length];
}
