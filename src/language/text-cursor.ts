/** White space inside a citation, with at most one line break: bounded, so that a failed try costs nothing. */
export const GAP = String.raw`[^\S\n]{0,24}(?:\n[^\S\n]{0,24})?`;
/** The same, but not empty. */
export const SPACE = String.raw`(?:[^\S\n]{1,24}(?:\n[^\S\n]{0,24})?|\n[^\S\n]{0,24})`;
/** No letter or digit follows. */
export const END = String.raw`(?![\p{L}\d])`;

/** A sticky pattern for `takeAt`; `GAP`, `SPACE` and `END` may be put into the source. */
export function sticky(source: string, flags = 'uy'): RegExp {
  return new RegExp(source, flags);
}

/** The match of a sticky pattern that begins exactly at the place. */
export function takeAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
