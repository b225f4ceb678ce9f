/** What other modules may ask about the datasets as a whole. */
export abstract class DatasetStatus {
  /** Datasets that are there, whatever their state. */
  abstract total(): Promise<number>;
}
