/** A model that is missing may be put there any time, and looking for it costs little. */
const MODEL_MS = 10_000;
const FIRST_MS = 1000;
const LONGEST_MS = 60_000;

/**
 * How long no worker is started after one has ended.
 * @param failures one after the other, this one included; the first crash is made good at once
 */
export function restPauseMs(kind: 'model' | 'crash', failures: number): number {
  if (kind === 'model') return MODEL_MS;
  return failures < 2 ? 0 : Math.min(LONGEST_MS, FIRST_MS * 4 ** (failures - 2));
}
