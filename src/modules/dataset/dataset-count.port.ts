/** How many datasets there are, of everybody; for health pages. */
export abstract class DatasetCount {
  abstract total(): Promise<number>;
}
