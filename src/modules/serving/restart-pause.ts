const FIRST_MS = 1000;
const LONGEST_MS = 60_000;

/**
 * How long an engine is left alone after a failure.
 * @param failures one after the other, this one included; the first is made good at once
 */
export function restartPauseMs(failures: number): number {
  return failures < 2 ? 0 : Math.min(LONGEST_MS, FIRST_MS * 4 ** (failures - 2));
}
