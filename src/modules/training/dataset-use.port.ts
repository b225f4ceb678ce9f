/** Which jobs need a dataset. */
export abstract class DatasetUse {
  /** Jobs that wait or run with any version of the dataset, at most `limit`. */
  abstract jobsUsing(datasetId: string, limit: number): Promise<string[]>;
}
