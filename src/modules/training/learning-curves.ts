import type { LearningCurvesDto } from './job.dto.js';

export interface CurvePoint {
  type: string;
  step: number | null;
  data: Record<string, unknown>;
}

interface Row {
  epoch: number;
  train_loss: number | null;
  val_loss: number | null;
  train_accuracy: number | null;
  val_accuracy: number | null;
  learning_rate: number | null;
  train_reward_margin: number | null;
  val_reward_margin: number | null;
  train_reward_accuracy: number | null;
  val_reward_accuracy: number | null;
}

const empty: Row = {
  epoch: 0,
  train_loss: null,
  val_loss: null,
  train_accuracy: null,
  val_accuracy: null,
  learning_rate: null,
  train_reward_margin: null,
  val_reward_margin: null,
  train_reward_accuracy: null,
  val_reward_accuracy: null,
};
const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);

function merged(row: Row, { type, data }: CurvePoint): Row {
  if (type === 'progress')
    return {
      ...row,
      epoch: number(data['epoch']) ?? row.epoch,
      train_loss: number(data['loss']),
      train_accuracy: number(data['token_accuracy']),
      learning_rate: number(data['learning_rate']),
      train_reward_margin: number(data['reward_margin']),
      train_reward_accuracy: number(data['reward_accuracy']),
    };
  return {
    ...row,
    val_loss: number(data['eval_loss']),
    val_accuracy: number(data['token_accuracy']),
    val_reward_margin: number(data['reward_margin']),
    val_reward_accuracy: number(data['reward_accuracy']),
  };
}

/** Equally long columns over the steps; a step that a later attempt ran again counts as that attempt saw it. Pure. */
export function learningCurves(points: CurvePoint[]): LearningCurvesDto {
  const rows = new Map<number, Row>();
  for (const point of points) {
    const step = point.step ?? 0;
    rows.set(step, merged(rows.get(step) ?? { ...empty, epoch: lastEpoch(rows) }, point));
  }
  const sorted = [...rows].toSorted(([a], [b]) => a - b);
  const column = <K extends keyof Row>(name: K): Row[K][] => sorted.map(([, row]) => row[name]);
  return {
    steps: sorted.map(([step]) => step),
    epochs: column('epoch'),
    train_loss: column('train_loss'),
    val_loss: column('val_loss'),
    train_accuracy: column('train_accuracy'),
    val_accuracy: column('val_accuracy'),
    learning_rate: column('learning_rate'),
    train_reward_margin: column('train_reward_margin'),
    val_reward_margin: column('val_reward_margin'),
    train_reward_accuracy: column('train_reward_accuracy'),
    val_reward_accuracy: column('val_reward_accuracy'),
  };
}

const lastEpoch = (rows: Map<number, Row>): number => [...rows.values()].at(-1)?.epoch ?? 0;
