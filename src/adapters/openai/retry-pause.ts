const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** Whether the same request may succeed later: too many requests, or trouble at the server. */
export const isPassing = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/**
 * Wait before the next try: what the server asks for (RFC 9110, Retry-After), else twice as long each time.
 * @param tries so far
 */
export function retryPauseMs(tries: number, retryAfter: string | null, now: number): number {
  const asked = retryAfter === null ? Number.NaN : secondsOf(retryAfter, now);
  if (Number.isFinite(asked)) return Math.max(0, asked * 1000);
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** (tries - 1));
}

const secondsOf = (retryAfter: string, now: number): number =>
  /^\d+(\.\d+)?$/.test(retryAfter.trim()) ? Number(retryAfter) : (Date.parse(retryAfter) - now) / 1000;
