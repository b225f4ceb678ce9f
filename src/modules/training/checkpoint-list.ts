import { stepOf } from './checkpoints.js';
import type { FineTuningCheckpoint, FineTuningEvent } from './fine-tuning-jobs.port.js';

const UNSAID: ReadonlySet<string> = new Set(['when', 'epoch', 'total_epochs', 'total_steps', 'seconds_left']);

const measured = (data: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(data).filter(([name]) => !UNSAID.has(name)));

/** The measures of a step: of training under `train_`-less names, of the evaluation as `eval_…`. */
function metricsAt(step: number, reports: readonly FineTuningEvent[]): Record<string, unknown> {
  const upTo = (type: string): Record<string, unknown> =>
    measured(reports.findLast((report) => report.type === type && (report.step ?? 0) <= step)?.data ?? {});
  const evaluation = Object.entries(upTo('metric'));
  return {
    ...upTo('progress'),
    ...Object.fromEntries(evaluation.map(([name, value]) => [name.startsWith('eval_') ? name : `eval_${name}`, value])),
  };
}

/**
 * The checkpoints that lie on the disk, newest first, with what was measured at their steps. Pure.
 * @param reports oldest first
 */
export function checkpointList(paths: readonly string[], reports: readonly FineTuningEvent[]): FineTuningCheckpoint[] {
  return paths.flatMap((path) => {
    const step = stepOf(path);
    const saved = reports.findLast((report) => report.type === 'checkpoint' && report.step === step);
    return saved ? [{ step, createdAt: saved.time, path, metrics: metricsAt(step, reports) }] : [];
  });
}
