import type { Block } from '../../modules/documents/document-parser.port.js';
import { tableBlocks } from './table-rows.js';
import type { XmlHandler } from './xml-events.js';

/** Placeholders that repeat on every slide. */
const FRAME = /^(?:dt|ftr|sldNum|hdr|sldImg)$/;

/** The text of a slide or its notes (ECMA-376 part 1, 19.3 and 21.1). */
export class SlideText implements XmlHandler {
  readonly blocks: Block[] = [];
  #placeholder: string | null = null;
  #bulleted = false;
  #paragraph: string[] = [];
  #inText = false;
  #rows: string[][] | null = null;
  #cell: string[] | null = null;

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name === 'sp') this.#placeholder = null;
    if (name === 'ph') this.#placeholder = attributes['type'] ?? 'body';
    if (name === 'p') [this.#paragraph, this.#bulleted] = [[], false];
    if (name === 'buChar' || name === 'buAutoNum') this.#bulleted = true;
    if (name === 't') this.#inText = true;
    if (name === 'br') this.#paragraph.push('\n');
    if (name === 'tbl') this.#rows = [];
    if (name === 'tr') this.#rows?.push([]);
    if (name === 'tc') this.#cell = [];
  }

  text(text: string): void {
    if (this.#inText) this.#paragraph.push(text);
  }

  close(name: string): void {
    if (name === 't') this.#inText = false;
    if (name === 'p') this.#endParagraph();
    if (name === 'tc') {
      this.#rows?.at(-1)?.push((this.#cell ?? []).join(' '));
      this.#cell = null;
    }
    if (name === 'tbl') this.#endTable();
  }

  #endParagraph(): void {
    const text = this.#paragraph.join('').trim();
    this.#paragraph = [];
    if (text === '' || (this.#placeholder && FRAME.test(this.#placeholder))) return;
    if (this.#cell) this.#cell.push(text);
    else if (this.#placeholder === 'title' || this.#placeholder === 'ctrTitle')
      this.blocks.push({ kind: 'heading', level: 1, text });
    else this.blocks.push({ kind: this.#bulleted ? 'list_item' : 'paragraph', text });
  }

  #endTable(): void {
    const rows = this.#rows ?? [];
    this.#rows = null;
    this.blocks.push(...tableBlocks(rows));
  }
}
