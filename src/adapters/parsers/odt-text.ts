import type { Block } from '../../modules/documents/document-parser.port.js';
import { tableBlocks } from './table-rows.js';
import type { XmlHandler } from './xml-events.js';

/** Deleted text, comments, tables of contents and drawings' own labels are not the text. */
const SKIPPED = new Set([
  'tracked-changes',
  'annotation',
  'table-of-content',
  'sequence-decls',
  'forms',
  'note-citation',
  'ruby-text',
]);
const MOST_SPACES = 100;

/** The text of content.xml (OpenDocument 1.3 part 3, 5 and 9). */
export class OdtText implements XmlHandler {
  readonly blocks: Block[] = [];
  #skipped = 0;
  /** The open paragraph or heading; a footnote inside of it is part of its text. */
  #text: string[] | null = null;
  #inner = 0;
  #level: number | null = null;
  #lists = 0;
  #rows: string[][] | null = null;
  #tables = 0;
  #cell: string[] | null = null;

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (this.#skipped > 0 || SKIPPED.has(name)) {
      this.#skipped++;
      return;
    }
    if (name === 'p' || name === 'h') this.#openParagraph(name, attributes);
    if (name === 's') this.#text?.push(' '.repeat(Math.min(MOST_SPACES, Number(attributes['text:c'] ?? 1) || 1)));
    if (name === 'tab') this.#text?.push('\t');
    if (name === 'line-break') this.#text?.push('\n');
    if (name === 'note') this.#text?.push(' (');
    if (name === 'list') this.#lists++;
    if (name === 'table' && ++this.#tables === 1) this.#rows = [];
    if (name === 'table-row' && this.#tables === 1) this.#rows?.push([]);
    if (name === 'table-cell' && this.#tables === 1) this.#cell = [];
  }

  text(text: string): void {
    if (this.#skipped === 0) this.#text?.push(text.replace(/\s+/g, ' '));
  }

  close(name: string): void {
    if (this.#skipped > 0) {
      this.#skipped--;
      return;
    }
    if (name === 'p' || name === 'h') this.#closeParagraph();
    if (name === 'note') this.#text?.push(')');
    if (name === 'list') this.#lists--;
    if (name === 'table-cell' && this.#tables === 1) {
      this.#rows?.at(-1)?.push((this.#cell ?? []).join(' '));
      this.#cell = null;
    }
    if (name === 'table' && --this.#tables === 0) this.#endTable();
  }

  #openParagraph(name: string, attributes: Readonly<Record<string, string>>): void {
    if (this.#text) {
      this.#inner++;
      return;
    }
    this.#text = [];
    const level = Number(attributes['text:outline-level'] ?? 1);
    this.#level = name === 'h' ? Math.min(6, Math.max(1, Math.round(level) || 1)) : null;
  }

  #closeParagraph(): void {
    if (this.#inner > 0) {
      this.#inner--;
      return;
    }
    const text = (this.#text ?? []).join('').trim();
    this.#text = null;
    if (text === '') return;
    if (this.#cell) this.#cell.push(text);
    else if (this.#level !== null) this.blocks.push({ kind: 'heading', level: this.#level, text });
    else this.blocks.push({ kind: this.#lists > 0 ? 'list_item' : 'paragraph', text });
  }

  #endTable(): void {
    const rows = this.#rows ?? [];
    this.#rows = null;
    this.blocks.push(...tableBlocks(rows));
  }
}
