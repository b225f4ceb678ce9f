import { Replica, type StoredDocument } from './replica.port.js';

/** Whole documents as JSON. */
export abstract class DocumentStore extends Replica {
  /** Makes the store hold exactly this version. */
  abstract replace(document: StoredDocument): Promise<void>;
  /** Null where it holds none. */
  abstract read(documentId: string): Promise<StoredDocument | null>;
}
