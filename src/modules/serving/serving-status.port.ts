/** What other modules may ask about serving as a whole. */
export abstract class ServingStatus {
  abstract now(): {
    engine: string;
    replicas: { up: number; total: number };
    /** Different versions that any replica holds. */
    adapters: number;
  };
}
