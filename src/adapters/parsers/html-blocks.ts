import { Parser } from 'htmlparser2';
import { UnreadableFile, type Block } from '../../modules/documents/document-parser.port.js';
import { factsOf } from './front-matter.js';
import { HtmlTable } from './html-table.js';

/** What is never content. */
const SKIPPED = new Set(
  'script style noscript template nav aside iframe object svg canvas math button select textarea dialog map audio video'.split(
    ' ',
  ),
);
const BLOCKS = new Set(
  'address article blockquote body center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr legend li main ol p pre section summary table ul'.split(
    ' ',
  ),
);
/** Deeper than any page; the parser's work grows with the square of the depth. */
const DEEPEST = 10_000;
const BREAK = '\u0001';
/** Shorter than this, a `<main>` or `<article>` is not taken for the content of the page. */
const LEAST_MAIN = 200;

type Region = 'main' | 'page' | 'chrome';
type Attributes = Readonly<Record<string, string>>;

const isHidden = (attributes: Attributes): boolean =>
  'hidden' in attributes ||
  attributes['aria-hidden'] === 'true' ||
  /display\s*:\s*none/i.test(attributes['style'] ?? '') ||
  /^(?:navigation|banner|contentinfo|search|complementary)$/.test(attributes['role'] ?? '') ||
  /\b(?:cookie|consent)/i.test(`${attributes['id'] ?? ''} ${attributes['class'] ?? ''}`);

/** Builds blocks from the events of a HTML parser; never deeper than its own lists, whatever the nesting. */
class HtmlReader {
  readonly found: { block: Block; region: Region }[] = [];
  readonly facts: Record<string, string> = {};
  title = '';
  #text: string[] = [];
  #skipped = 0;
  #depth = 0;
  readonly #counts = new Map<string, number>();
  readonly #lists: { ordered: boolean; next: number }[] = [];
  #mark: string | null = null;
  #term = '';
  #table: HtmlTable | null = null;

  open(name: string, attributes: Attributes): void {
    if (++this.#depth > DEEPEST)
      throw new UnreadableFile('broken', `The HTML is nested deeper than ${DEEPEST} elements`);
    if (this.#skipped > 0 || SKIPPED.has(name) || (name !== 'body' && name !== 'html' && isHidden(attributes))) {
      this.#skipped++;
      return;
    }
    if (name === 'html' && attributes['lang']) this.facts['language'] = attributes['lang'];
    if (name === 'meta') this.#meta(attributes);
    if (name === 'table' && !this.#table) {
      this.#flush();
      this.#table = new HtmlTable();
    }
    this.#count(name, 1);
    if (this.#table) this.#openInTable(name);
    else this.#openBlock(name, attributes);
  }

  text(text: string): void {
    if (this.#skipped > 0) return;
    if (this.#in('title') && !this.#in('body')) this.title += text;
    else if (this.#table) this.#table.text(text);
    else this.#text.push(text);
  }

  close(name: string): void {
    this.#depth--;
    if (this.#skipped > 0) {
      this.#skipped--;
      return;
    }
    if (this.#table) this.#closeInTable(name);
    else if (BLOCKS.has(name)) this.#closeBlock(name);
    this.#count(name, -1);
  }

  end(): void {
    if (this.#table) this.#keep(this.#table.blocks());
    this.#table = null;
    this.#flush();
  }

  #openInTable(name: string): void {
    if (name === 'br' || BLOCKS.has(name)) this.#table?.text(' ');
    this.#table?.open(name);
  }

  #closeInTable(name: string): void {
    this.#table?.close(name);
    if (name !== 'table' || this.#counts.get('table') !== 1) return;
    this.#keep(this.#table?.blocks() ?? []);
    this.#table = null;
  }

  #openBlock(name: string, attributes: Attributes): void {
    if (name === 'br') this.#text.push(this.#in('pre') ? '\n' : BREAK);
    if (!BLOCKS.has(name)) return;
    this.#flush();
    if (name === 'ol' || name === 'ul') {
      const start = Number.parseInt(attributes['start'] ?? '1', 10);
      this.#lists.push({ ordered: name === 'ol', next: Number.isFinite(start) ? start : 1 });
    }
    if (name !== 'li') return;
    const list = this.#lists.at(-1);
    this.#mark = list?.ordered ? `${list.next++}. ` : '';
  }

  #closeBlock(name: string): void {
    this.#flush(/^h[1-6]$/.test(name) ? Number(name[1]) : null, name);
    if (name === 'ol' || name === 'ul') this.#lists.pop();
    if (name === 'li') this.#mark = null;
  }

  #meta(attributes: Attributes): void {
    const name = (attributes['name'] ?? attributes['property'] ?? '').toLowerCase();
    if (
      /^(?:author|date|description|keywords|og:title|dc\.\w+|article:published_time)$/.test(name) &&
      attributes['content']
    )
      this.facts[name] = attributes['content'];
  }

  #in(name: string): boolean {
    return (this.#counts.get(name) ?? 0) > 0;
  }

  #count(name: string, by: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  #flush(level: number | null = null, name = ''): void {
    const raw = this.#text.join('');
    this.#text = [];
    const code = this.#in('pre');
    const text = code ? raw.replace(/\s+$/, '').replaceAll(BREAK, '\n') : flowing(raw);
    if (text === '') return;
    if (name === 'dt') this.#term = text;
    else this.#keep([this.#blockOf(text, level, code)]);
  }

  #blockOf(text: string, level: number | null, code: boolean): Block {
    if (level !== null) return { kind: 'heading', level, text };
    if (code) return { kind: 'code', text };
    if (this.#mark !== null) {
      const marked = `${this.#mark}${text}`;
      this.#mark = null;
      return { kind: 'list_item', text: marked };
    }
    const term = this.#term;
    this.#term = '';
    if (term) return { kind: 'paragraph', text: `${term}: ${text}` };
    return { kind: this.#in('blockquote') ? 'quote' : 'paragraph', text };
  }

  #keep(blocks: readonly Block[]): void {
    const region = this.#region();
    for (const block of blocks) this.found.push({ block, region });
  }

  #region(): Region {
    if (this.#in('main') || this.#in('article')) return 'main';
    return this.#in('footer') || this.#in('header') ? 'chrome' : 'page';
  }
}

const flowing = (raw: string): string =>
  raw
    .replace(/\s+/g, ' ')
    .replaceAll(new RegExp(` ?${BREAK} ?`, 'g'), '\n')
    .trim();

export interface HtmlContent {
  title: string | null;
  metadata: Record<string, string>;
  blocks: Block[];
}

/** The main content of a page as blocks. Memory grows with the text, not with the depth. */
export function htmlBlocks(html: string | Iterable<string>): HtmlContent {
  const reader = new HtmlReader();
  const parser = new Parser({
    onopentag: (name, attributes) => reader.open(name, attributes),
    ontext: (text) => reader.text(text),
    onclosetag: (name) => reader.close(name),
  });
  for (const piece of typeof html === 'string' ? [html] : html) parser.write(piece);
  parser.end();
  reader.end();
  return { title: flowing(reader.title) || null, metadata: factsOf(reader.facts), blocks: mainContent(reader.found) };
}

const size = (blocks: readonly Block[]): number => blocks.reduce((sum, { text }) => sum + text.length, 0);

function mainContent(found: readonly { block: Block; region: Region }[]): Block[] {
  const of = (region: Region): Block[] => found.filter((one) => one.region === region).map(({ block }) => block);
  const main = of('main');
  if (size(main) >= Math.min(LEAST_MAIN, size(of('page')))) return main.length > 0 ? main : of('page');
  // A page without a marked main part: all but its frame, of which the headings stay.
  return found.flatMap(({ block, region }) => (region !== 'chrome' || block.kind === 'heading' ? [block] : []));
}

/** Text with HTML's character references resolved; anything else in it stays as it is. */
export const plainOfHtml = (text: string): string =>
  text.includes('&') ? text.replace(/&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z]\w{1,31});/gi, resolved) : text;

function resolved(reference: string): string {
  let out = '';
  const parser = new Parser({ ontext: (text) => (out += text) });
  parser.end(reference);
  return out;
}
