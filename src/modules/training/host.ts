/** The machine this process runs on, as the queue sees it. */
export abstract class Host {
  abstract readonly hostId: string;
  /** Changes with each start of the machine: process ids of another boot mean nothing. */
  abstract readonly bootId: string;
  abstract readonly hostname: string;
  abstract readonly gpus: number;
  /** Whether the first GPU computes in bfloat16. */
  abstract readonly bf16: boolean;
  abstract readonly cores: number;
  /** Memory of the smallest GPU, else of the machine. */
  abstract readonly memoryBytes: number;
  abstract freeDiskBytes(folder: string): Promise<number>;
}
