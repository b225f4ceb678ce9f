import type { SearchFilters } from '../search/document-search.port.js';
import type { Caller } from '../security/principal.port.js';
import type { StoredDocument } from './replica.port.js';

/** Current versions of documents that the caller may read. */
export abstract class DocumentReader {
  /** Null: unknown, or not for this caller. */
  abstract document(documentId: string, caller: Caller): Promise<StoredDocument | null>;
  /** In order of the given ids, one at a time; what the caller may not read is left out. */
  abstract documents(documentIds: string[], caller: Caller): AsyncIterable<StoredDocument>;
  /** Ids of the documents that match all of the filters, ascending, at most `limit`; no filter matches every document. */
  abstract matching(filters: SearchFilters, limit: number, caller: Caller): Promise<string[]>;
}
