import type { Block } from '../../modules/documents/document-parser.port.js';
import { namesColumns, rowText } from './table-rows.js';

interface Row {
  cells: string[];
  /** How many of them are `th`. */
  heads: number;
}

/** The rows of one HTML table; tables inside of its cells are text. */
export class HtmlTable {
  readonly #rows: Row[] = [];
  #row: Row | null = null;
  #cell: string[] | null = null;
  #depth = 0;
  #caption: string[] | null = null;
  #captions = '';

  open(name: string): void {
    if (name === 'table') this.#depth++;
    if (this.#depth !== 1) return;
    if (name === 'tr') this.#row = { cells: [], heads: 0 };
    if (name === 'caption') this.#caption = [];
    if (name !== 'td' && name !== 'th') return;
    this.#row ??= { cells: [], heads: 0 };
    this.#cell = [];
    if (name === 'th') this.#row.heads++;
  }

  text(text: string): void {
    (this.#cell ?? this.#caption)?.push(text);
  }

  close(name: string): void {
    if (name === 'table') this.#depth--;
    if (this.#depth > 1 || (this.#depth === 1 && name === 'table')) return;
    if (name === 'td' || name === 'th') this.#endCell();
    if (name === 'tr' || name === 'table') this.#endRow();
    if (name !== 'caption') return;
    this.#captions = (this.#caption ?? []).join('').replace(/\s+/g, ' ').trim();
    this.#caption = null;
  }

  blocks(): Block[] {
    this.#endCell();
    this.#endRow();
    const rows = this.#rows.filter(({ cells }) => cells.some((cell) => cell.trim() !== ''));
    const caption: Block[] = this.#captions ? [{ kind: 'paragraph', text: this.#captions }] : [];
    const [first, ...rest] = rows;
    if (!first) return caption;
    const named =
      rest.length > 0 && (first.heads === first.cells.length || (first.heads === 0 && namesColumns(first.cells)));
    const headers = named ? first.cells : [];
    return [...caption, ...(named ? rest : rows).map((row) => rowBlock(headers, row))];
  }

  #endCell(): void {
    if (this.#cell) this.#row?.cells.push(this.#cell.join(''));
    this.#cell = null;
  }

  #endRow(): void {
    if (this.#row && this.#row.cells.length > 0) this.#rows.push(this.#row);
    this.#row = null;
  }
}

function rowBlock(headers: readonly string[], { cells, heads }: Row): Block {
  // A table of one column is layout: its text is text.
  if (cells.filter((cell) => cell.trim() !== '').length === 1 && headers.length < 2)
    return { kind: 'paragraph', text: rowText([], cells) };
  if (headers.length === 0 && heads === 1 && cells.length > 1)
    return {
      kind: 'table_row',
      text: rowText(
        [cells[0] ?? ''],
        [
          cells
            .slice(1)
            .map((cell) => cell.trim())
            .join('; '),
        ],
      ),
    };
  return { kind: 'table_row', text: rowText(headers, cells) };
}
