import type { Block } from '../../modules/documents/document-parser.port.js';
import { rowText } from './table-rows.js';
import type { XmlHandler } from './xml-events.js';

interface Element {
  name: string;
  /** Own text, and that of what stands within a sentence. */
  text: string[];
  hasChildren: boolean;
  /** Attributes of a leaf. */
  facts: string;
  /** Leaves since the last block. */
  fields: { name: string; text: string }[];
}

const TITLES = /^(?:title|titel|head|heading|header|ueberschrift|überschrift|headline|caption|h[1-6])$/i;
/** A text this long is a paragraph of its own, not a cell of a row. */
const LONG = 300;

/** Blocks of an XML text without knowledge of its schema. */
export class XmlText implements XmlHandler {
  readonly #stack: Element[] = [];
  /** Depth of the element with text between its elements: all below is its text. */
  #mixed = 0;
  #blocks: Block[] = [];

  /** The blocks that are complete. */
  take(): Block[] {
    const blocks = this.#blocks;
    this.#blocks = [];
    return blocks;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    const parent = this.#stack.at(-1);
    if (parent && !parent.hasChildren) {
      parent.hasChildren = true;
      const grand = this.#stack.at(-2);
      if (grand && this.#mixed === 0) this.#flush(grand, this.#stack.length - 1);
      if (this.#mixed === 0 && parent.text.join('').trim() !== '') this.#mixed = this.#stack.length;
    }
    this.#stack.push({ name, text: [], hasChildren: false, facts: factsIn(attributes), fields: [] });
  }

  text(text: string): void {
    const element = this.#stack.at(-1);
    if (!element) return;
    if (this.#mixed === 0 && element.hasChildren && text.trim() !== '') {
      // What came before as fields is the beginning of this text.
      this.#mixed = this.#stack.length;
      element.text.push(...element.fields.map((field) => `${field.text} `));
      element.fields = [];
    }
    element.text.push(text);
  }

  close(): void {
    const element = this.#stack.pop();
    if (!element) return;
    const text = element.text.join('');
    const parent = this.#stack.at(-1);
    if (this.#mixed > 0 && this.#stack.length >= this.#mixed) parent?.text.push(text);
    else {
      if (this.#mixed > 0 || !element.hasChildren) this.#leaf(element, text, parent);
      this.#mixed = 0;
      this.#flush(element, this.#stack.length + 1);
    }
  }

  #leaf(element: Element, raw: string, parent: Element | undefined): void {
    const text = raw.replace(/\s+/g, ' ').trim() || element.facts;
    if (text === '') return;
    if (parent) parent.fields.push({ name: element.name, text });
    else this.#blocks.push({ kind: 'paragraph', text });
  }

  #flush(element: Element, depth: number): void {
    const { fields } = element;
    element.fields = [];
    const first = fields[0];
    if (first && TITLES.test(first.name) && first.text.length < LONG) {
      this.#blocks.push({ kind: 'heading', level: Math.min(6, depth), text: first.text });
      fields.shift();
    }
    const prose = fields.some(({ text }) => text.length > LONG) || new Set(fields.map(({ name }) => name)).size === 1;
    if (prose) for (const { text } of fields) this.#blocks.push({ kind: 'paragraph', text });
    else if (fields.length > 0)
      this.#blocks.push({
        kind: 'table_row',
        text: rowText(
          fields.map(({ name }) => name),
          fields.map(({ text }) => text),
        ),
      });
  }
}

const MOST_FACTS = 100;

function factsIn(attributes: Readonly<Record<string, string>>): string {
  const own = Object.entries(attributes).filter(([name]) => !/^xml(?:ns)?(?::|$)|^xsi:/.test(name));
  const [names, values] = [0, 1].map((part) => own.slice(0, MOST_FACTS).map((fact) => fact[part] ?? ''));
  return rowText(names ?? [], values ?? []);
}
