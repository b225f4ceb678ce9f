/** How far a store is behind the documents. */
export interface StoreLag {
  /** Such as `graph:neo4j`. */
  store: string;
  /** Documents that wait for it. */
  pending: number;
  /** Why it does not take them; null where it is at work, or has everything. */
  reason: string | null;
}

/** What health pages and metrics say of the documents. */
export abstract class DocumentsStatus {
  abstract lags(): Promise<StoreLag[]>;
  abstract documents(): Promise<number>;
}
