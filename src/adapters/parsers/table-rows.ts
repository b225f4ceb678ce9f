import type { Block } from '../../modules/documents/document-parser.port.js';

/** Longest text of one cell; the rest is left out. */
const LONGEST_CELL = 32_768;

const cellText = (cell: string): string => cell.replace(/\s+/g, ' ').trim().slice(0, LONGEST_CELL);

/** One row of a table as text: `column: value; column: value`; a value without a column name stands alone. */
export function rowText(headers: readonly string[], cells: readonly string[]): string {
  return cells
    .flatMap((cell, at) => {
      const value = cellText(cell);
      if (value === '') return [];
      const name = cellText(headers[at] ?? '');
      return [name ? `${name}: ${value}` : value];
    })
    .join('; ');
}

/** Whether a first row names the columns: every cell is a different word that is no number or date. */
export function namesColumns(cells: readonly string[]): boolean {
  const names = cells.map(cellText);
  while (names.at(-1) === '') names.pop();
  return (
    names.length > 1 &&
    names.every((name) => name !== '' && name.length <= 80 && /\p{L}/u.test(name) && !/^[\d.,:/\s-]+$/.test(name)) &&
    new Set(names).size === names.length
  );
}

/** The rows of a table as blocks; a first row that names the columns gives their names. */
export function tableBlocks(rows: readonly (readonly string[])[]): Block[] {
  const [first = [], ...rest] = rows;
  const named = rest.length > 0 && namesColumns(first);
  return (named ? rest : rows).flatMap((row): Block[] => {
    const text = rowText(named ? first : [], row);
    return text ? [{ kind: 'table_row', text }] : [];
  });
}
