/** A piece of text on a page; the origin is at the bottom left. */
export interface PdfItem {
  str: string;
  x: number;
  y: number;
  width: number;
  size: number;
}

/** One line of a page, in reading order. */
export interface PdfLine {
  text: string;
  /** Left and right edge, baseline and font size, in points. */
  x: number;
  right: number;
  y: number;
  size: number;
  /** More than 1: cells of a table, side by side. */
  cells: number;
}

/** Baselines nearer than this share of the font size are one line. */
const SAME_LINE = 0.5;
/** A gap wider than this share of the font size is a space, wider than COLUMN the next column. */
const SPACE = 0.15;
const COLUMN = 2.5;

/** Joins the items of a page, in the order of its content, to lines. */
export function linesOf(items: readonly PdfItem[]): PdfLine[] {
  const lines: PdfLine[] = [];
  let open: PdfLine | null = null;
  for (const item of items) {
    if (item.str.trim() === '') continue;
    if (open && continues(open, item)) append(open, item);
    else {
      open = { text: item.str.trim(), x: item.x, right: item.x + item.width, y: item.y, size: item.size, cells: 1 };
      lines.push(open);
    }
  }
  return rowsJoined(inReadingOrder(lines));
}

function continues(line: PdfLine, item: PdfItem): boolean {
  const size = Math.max(line.size, item.size);
  const gap = item.x - line.right;
  // A small raised figure (a footnote's mark, m²) is part of its line.
  const apart = Math.abs(line.y - item.y);
  return apart <= size * SAME_LINE && gap > -size && gap < size * COLUMN;
}

function append(line: PdfLine, item: PdfItem): void {
  const size = Math.max(line.size, item.size);
  const space = item.x - line.right > size * SPACE || /^\s/.test(item.str) ? ' ' : '';
  line.text = `${line.text}${space}${item.str.trim()}`;
  line.right = Math.max(line.right, item.x + item.width);
  line.size = size;
}

/** Longer texts side by side are columns, not cells. */
const LONGEST_CELL = 40;

/** What stands side by side is one row of a table. */
function rowsJoined(lines: readonly PdfLine[]): PdfLine[] {
  const joined: PdfLine[] = [];
  for (const line of lines) {
    const open = joined.at(-1);
    const beside = open && Math.abs(open.y - line.y) <= line.size * SAME_LINE && line.x >= open.right;
    const short = open && open.text.length / open.cells <= LONGEST_CELL && line.text.length <= LONGEST_CELL;
    if (beside && short)
      joined[joined.length - 1] = {
        ...open,
        text: `${open.text}; ${line.text}`,
        right: line.right,
        cells: open.cells + 1,
      };
    else joined.push(line);
  }
  return joined;
}

/** Above this share of lines that jump up, the order of the content is not that of reading. */
const JUMPS = 0.2;

/** Most programs write in reading order; where one did not, columns from left to right, each from top to bottom. */
function inReadingOrder(lines: PdfLine[]): PdfLine[] {
  const jumps = lines.filter((line, at) => line.y > (lines[at - 1]?.y ?? Infinity) + line.size).length;
  if (jumps <= Math.max(2, lines.length * JUMPS)) return lines;
  const gutter = gutterOf(lines);
  const byHeight = (some: PdfLine[]): PdfLine[] =>
    some.toSorted((one, other) =>
      Math.abs(one.y - other.y) < one.size * SAME_LINE ? one.x - other.x : other.y - one.y,
    );
  if (gutter === null) return byHeight(lines);
  return [...byHeight(lines.filter(({ x }) => x < gutter)), ...byHeight(lines.filter(({ x }) => x >= gutter))];
}

/** A vertical line in the middle that (nearly) no line of text crosses; null: one column. */
function gutterOf(lines: readonly PdfLine[]): number | null {
  const left = Math.min(...lines.map(({ x }) => x));
  const right = Math.max(...lines.map((line) => line.right));
  for (let share = 0.35; share <= 0.65; share += 0.02) {
    const at = left + (right - left) * share;
    const crossing = lines.filter((line) => line.x < at && line.right > at).length;
    const beyond = lines.filter(({ x }) => x >= at).length;
    if (crossing <= lines.length * 0.05 && beyond > lines.length * 0.25 && beyond < lines.length * 0.75) return at;
  }
  return null;
}
