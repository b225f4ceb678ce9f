import { messageOf } from '../../kernel/errors.js';
import { StoreUnavailable, type StoredDocument } from '../../modules/documents/replica.port.js';

/** How long a call of a store may take unless the composition says otherwise. */
export const STORE_TIMEOUT_MS = 10_000;
const CHUNKS_A_TIMEOUT = 1000;

/** The time for writing a document in one transaction: the timeout for every 1,000 chunks that have begun. */
export const timeFor = (document: StoredDocument, timeoutMs: number): number =>
  timeoutMs * Math.max(1, Math.ceil(document.chunks.length / CHUNKS_A_TIMEOUT));

/** What to say of an error of the driver; without credentials. */
export type Reason = (error: unknown) => string;

/**
 * What `work` gives, within the time.
 * @throws RangeError that `work` threw: the caller's fault
 * @throws StoreUnavailable for everything else
 */
export async function answered<T>(
  store: string,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
  reason: Reason = messageOf,
): Promise<T> {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new StoreUnavailable(store, `no answer within ${timeoutMs} ms`));
      late.abort();
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(late.signal), expired]);
  } catch (error) {
    if (error instanceof RangeError || error instanceof StoreUnavailable) throw error;
    throw new StoreUnavailable(store, reason(error));
  } finally {
    clearTimeout(timer);
  }
}

/** The list in parts of at most `size`. */
export function partsOf<T>(items: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let start = 0; start < items.length; start += size) parts.push(items.slice(start, start + size));
  return parts;
}
