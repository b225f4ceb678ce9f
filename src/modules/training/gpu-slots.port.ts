/** GPUs that something other than a training holds, in the same table of slots. */
export interface HeldGpus {
  gpus: readonly number[];
  release(): Promise<void>;
}

/** Whoever computes on a GPU of this host asks here, so that no two do so on the same. */
export abstract class GpuSlots {
  /**
   * @param askedBack called once, when a job does not fit because of this
   * @returns undefined where no slot, or too few GPUs are free
   */
  abstract take(holder: string, gpus: number, askedBack: () => void): Promise<HeldGpus | undefined>;
}
