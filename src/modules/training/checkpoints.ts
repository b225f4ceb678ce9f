import { join } from 'node:path';
import type { WorkerEvent } from './run-contract.generated.js';

/** The newest complete checkpoint that a batch of reports names: where the next attempt goes on. */
export function checkpointOf(reports: WorkerEvent[], runFolder: string): { resume_from?: string } {
  const paths = reports.flatMap((report) => {
    if (report.type === 'checkpoint') return [report.data.path];
    return report.type === 'stopped' && report.data.checkpoint ? [report.data.checkpoint] : [];
  });
  const newest = paths.at(-1);
  return newest === undefined ? {} : { resume_from: join(runFolder, newest) };
}
