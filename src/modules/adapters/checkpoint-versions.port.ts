/** A checkpoint of a job that has a version. */
export interface CheckpointOfJob {
  jobId: string;
  step: number;
  /** PEFT folder, complete. */
  path: string;
  metrics: Record<string, number>;
}

/** Makes checkpoints of a job versions beside that of its end. */
export abstract class CheckpointVersions {
  /**
   * Registers a checkpoint as `<ft: id of the job's version>:ckpt-step-<step>`; again, it is there already.
   * @returns its `ft:` id; undefined where the job has no version
   * @throws Error in words where the folder holds no adapter
   */
  abstract register(checkpoint: CheckpointOfJob): Promise<string | undefined>;
}

/** OpenAI's name of a checkpoint beside its model. */
export const checkpointModelId = (modelId: string, step: number): string => `${modelId}:ckpt-step-${step}`;
