/** What is wrong with one row; the reader adds where it stands. */
export class RowProblem extends Error {
  constructor(
    message: string,
    /** From 1, where the problem has a place in the line. */
    readonly column: number | null = null,
  ) {
    super(message);
  }
}

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The kind of a value as a message names it. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** A text, or OpenAI's list of text parts. @throws RowProblem */
export function textOf(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((part) => isFields(part) && part['type'] === 'text'))
    return value.map((part: Fields) => textOf(part['text'], where)).join('');
  throw new RowProblem(`${where} must be text, not ${kindOf(value)}`);
}

/** A value as a message shows it. */
export const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 60);
