/** Tokens of one answer, as its engine counted them. */
export interface Usage {
  input: number;
  output: number;
}

const MARK = Buffer.from('"prompt_tokens"');
const OUTPUT = /"completion_tokens"\s*:\s*(\d+)/;
const INPUT = /"prompt_tokens"\s*:\s*(\d+)/;
/** The object is short; its details stand behind the counts or before them. */
const AROUND = 400;

/** The last usage that stands in a piece of a reply; found by its bytes, so that nothing is parsed. */
export function usageIn(piece: Buffer): Usage | undefined {
  const at = piece.lastIndexOf(MARK);
  if (at < 0) return undefined;
  const text = piece.toString('latin1', Math.max(0, at - AROUND), at + AROUND);
  const input = INPUT.exec(text)?.[1];
  if (input === undefined) return undefined;
  return { input: Number(input), output: Number(OUTPUT.exec(text)?.[1] ?? 0) };
}
