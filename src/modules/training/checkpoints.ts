import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { WorkerEvent } from './run-contract.generated.js';

/** What only going on with the training needs: optimizer, scheduler, random numbers, arguments. Some of it is pickle. */
const OF_THE_TRAINING = /\.(pt|pth|bin)$|^(trainer_state|clara_state)\.json$/;

/** The newest complete checkpoint that a batch of reports names: where the next attempt goes on. */
export function checkpointOf(reports: WorkerEvent[], runFolder: string): { resume_from?: string } {
  const paths = reports.flatMap((report) => {
    if (report.type === 'checkpoint') return [report.data.path];
    return report.type === 'stopped' && report.data.checkpoint ? [report.data.checkpoint] : [];
  });
  const newest = paths.at(-1);
  return newest === undefined ? {} : { resume_from: join(runFolder, newest) };
}

export const stepOf = (checkpoint: string): number => Number(basename(checkpoint).replace('checkpoint-', ''));

/** By their steps: a later attempt begins with the last of an earlier one. */
export const newestFirst = (checkpoints: string[]): string[] =>
  checkpoints.toSorted((one, other) => stepOf(other) - stepOf(one));

/** Leaves of a checkpoint the adapter, its tokenizer and its chat template. */
export async function leaveAdapter(checkpoint: string): Promise<void> {
  for (const name of await readdir(checkpoint))
    if (OF_THE_TRAINING.test(name)) await rm(join(checkpoint, name), { force: true });
}
