import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A provision of a law, or a document as a whole.
 * @typedef {object} Passage
 * @property {string} id such as `vwvfg:35`; of a document its file name
 * @property {string} law abbreviation without year, such as `VwVfG` or `SGB 10`; of a document its file name
 * @property {string[]} path headings above it, and its own, outermost first
 * @property {string} text without headings
 */

const HEADING = /^(#{1,6}) (.+)$/;
const PROVISION = /^(?:§|Art) (\d+[a-z]*)(?: (.*))?$/;
const ANNEX = /^(?:\(XXXX\) )?(?:Anlage|Anhang)\b/;
/** What is left of a provision without content: a remark in brackets, or a dash. */
const EMPTY =
  /^(?:\W*|\W*\((?:weggefallen|gegenstandslos|Inkrafttreten|Änderungsvorschrift|Aufhebung von Vorschriften)[^)]*\)[\s\S]{0,80})$/;

/** Lines that carry no words: front matter, footnote marks, escapes of Markdown. */
const plain = (lines) =>
  lines
    .join('\n')
    .replace(/\[\^[^\]]+\]:?/g, '')
    .replace(/\\([.\-*_[\]()#+])/g, '$1')
    .replace(/\n{3,}/g, '\n\n')
    .trim();

/** @param {string} markdown */
function abbreviationOf(markdown) {
  const found = /^jurabk: (.+)$/m.exec(markdown);
  if (!found) throw new Error('a law file without the line "jurabk: ..." in its front matter');
  return found[1].trim().replace(/ (?:19|20)\d\d$/, '');
}

/** `SGB 10` and `45` become `sgb10:45`. */
const idOf = (law, number) => `${law.toLowerCase().replace(/\s/g, '')}:${number}`;

/**
 * Provisions of one law in their order. Annexes are left out (some of them number their own paragraphs from § 1),
 * and so are provisions that only say that they were repealed or when the law came into force.
 * @param {string} markdown a law as in bundestag/gesetze: front matter, headings, one heading per § or Art
 * @returns {Passage[]}
 */
export function provisionsOf(markdown) {
  const law = abbreviationOf(markdown);
  const passages = [];
  /** @type {{level: number, title: string}[]} */
  let above = [];
  let open;
  const close = () => {
    const text = open ? plain(open.lines) : '';
    if (open && !EMPTY.test(text)) passages.push({ id: open.id, law, path: open.path, text });
    open = undefined;
  };
  for (const line of markdown.split('\n')) {
    const heading = HEADING.exec(line);
    if (!heading) {
      open?.lines.push(line);
      continue;
    }
    close();
    const [, marks, title] = heading;
    if (ANNEX.test(title)) break;
    above = [...above.filter(({ level }) => level < marks.length), { level: marks.length, title }];
    const provision = PROVISION.exec(title);
    if (provision) open = { id: idOf(law, provision[1]), path: above.map((part) => part.title), lines: [] };
  }
  close();
  return passages;
}

/**
 * All provisions of the laws of a folder. Throws on an id that comes twice.
 * @param {string} folder
 * @returns {Passage[]}
 */
export function readLaws(folder) {
  const passages = readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .toSorted()
    .flatMap((name) => provisionsOf(readFileSync(join(folder, name), 'utf8')));
  const seen = new Set();
  for (const { id } of passages) {
    if (seen.has(id)) throw new Error(`provision ${id} comes twice in ${folder}`);
    seen.add(id);
  }
  return passages;
}

/**
 * Every Markdown file of a folder as one passage.
 * @param {string} folder
 * @returns {Passage[]}
 */
export function readDocuments(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .toSorted()
    .map((name) => {
      const markdown = readFileSync(join(folder, name), 'utf8');
      const title = /^# (.+)$/m.exec(markdown)?.[1] ?? name;
      return {
        id: name,
        law: name,
        path: [title],
        text: plain(markdown.split('\n').filter((line) => !line.startsWith('# '))),
      };
    });
}

/** What a search over whole passages reads: headings from the law's title down, then the text. */
export const searchable = ({ path, text }) => `${path.join('\n')}\n\n${text}`;
