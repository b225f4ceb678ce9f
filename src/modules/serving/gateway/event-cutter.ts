const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** Longer events are let through in pieces. */
const LONGEST_EVENT = 4 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/** Lets whole server-sent events through, so that an answer that breaks off ends between two of them. */
export class EventCutter {
  #rest: Buffer = NOTHING;

  /** Bytes of an event that is not complete. */
  get rest(): Buffer {
    return this.#rest;
  }

  /** What is complete by now; empty where nothing is. */
  push(piece: Buffer): Buffer {
    const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, piece]) : piece;
    const end = endOfLast(all);
    if (end === 0 && all.length > LONGEST_EVENT) {
      this.#rest = NOTHING;
      return all;
    }
    this.#rest = end === all.length ? NOTHING : all.subarray(end);
    return end === all.length ? all : all.subarray(0, end);
  }
}

/** Behind the blank line that ends the last whole event; 0: there is none. */
function endOfLast(bytes: Buffer): number {
  for (let at = bytes.lastIndexOf(NEWLINE); at > 0; at = bytes.lastIndexOf(NEWLINE, at - 1)) {
    const before = bytes[at - 1] === RETURN ? at - 2 : at - 1;
    if (before >= 0 && bytes[before] === NEWLINE) return at + 1;
  }
  return 0;
}

/** Whole events, one by one, each with the blank line behind it. */
export function eventsOf(bytes: Buffer): Buffer[] {
  const events: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
    const next = bytes[at + 1] === RETURN ? at + 2 : at + 1;
    if (bytes[next] !== NEWLINE) continue;
    events.push(bytes.subarray(from, next + 1));
    from = next + 1;
    at = next;
  }
  return from < bytes.length ? [...events, bytes.subarray(from)] : events;
}

/** Events in whole pieces of a stream. */
export function countEvents(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf('data:'); at >= 0; at = bytes.indexOf('data:', at + 5))
    if (at === 0 || bytes[at - 1] === NEWLINE) count += 1;
  return count;
}
