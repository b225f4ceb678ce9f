/** What health pages say of the datasets. */
export abstract class DatasetTotals {
  /** Sets of everybody that were not deleted. */
  abstract count(): Promise<number>;
}
