/** Where a listener stands, and what the memory holds: every event behind `floor` and up to `tail`. */
export interface Standing {
  cursor: number;
  floor: number;
  tail: number;
  /** Bytes that the client has not taken yet. */
  backlog: number;
  maxBacklog: number;
}

/** nothing: up to date. wait: the client is slow. ring, feed: the next page is in memory, or only in the log. */
export type Step = 'nothing' | 'wait' | 'ring' | 'feed';

export function nextStep({ cursor, floor, tail, backlog, maxBacklog }: Standing): Step {
  if (cursor >= tail) return 'nothing';
  if (backlog > maxBacklog) return 'wait';
  return cursor >= floor ? 'ring' : 'feed';
}

/**
 * Where a listener stands after a page from the log. A page that is not full shows that nothing else is stored up to
 * the tail that was known before it was read, so the listener need not look there again.
 */
export function cursorAfterPage(
  cursor: number,
  page: readonly { stream: number }[],
  limit: number,
  tail: number,
): number {
  const last = page.at(-1)?.stream ?? cursor;
  return page.length < limit ? Math.max(last, tail) : last;
}

/** What the log and the memory hold when a client comes back with the number it saw last. */
export interface Holdings {
  /** From here on nothing was removed; older events may be stored still, with holes. 0 when nothing is stored. */
  oldest: number;
  newest: number;
  tail: number;
}

export interface Start {
  cursor: number;
  /** Set where some events between the number seen and `oldest` are gone. */
  gap?: { after: number; oldest: number };
}

/**
 * From where to replay. 0 asks for everything that is stored, so it misses nothing. Everything stored follows a gap,
 * not only what is newer than the snapshot: an ended job is not in the snapshot.
 */
export function startAfter(after: number, { oldest, newest, tail }: Holdings): Start {
  const end = Math.max(newest, tail);
  if (after > end) return { cursor: end, gap: { after, oldest } };
  if (after === 0 || oldest === 0 || after >= oldest - 1) return { cursor: after };
  return { cursor: after, gap: { after, oldest } };
}

/** How much a slow client has not taken, and since when that has not become less. */
export interface Blockade {
  backlog: number;
  since: number;
}

export function blockadeNow(before: Blockade | undefined, backlog: number, now: number): Blockade {
  return before && backlog >= before.backlog ? before : { backlog, since: now };
}

/**
 * The events of a job behind its number `after`, taken from its newest ones. Undefined where the first of them is not
 * the one that follows: then some are missing, and the log has to be asked.
 */
export function withoutHole<T extends { number: number }>(newest: readonly T[], after: number): T[] | undefined {
  const following = newest.filter((event) => event.number > after);
  const whole = following[0] ? following[0].number === after + 1 : newest.length > 0;
  return whole ? following : undefined;
}
