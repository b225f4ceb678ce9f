import { learningCurves, type CurvePoint } from './learning-curves.js';

const step = (number: number, loss: number, epoch = number / 10): CurvePoint => ({
  type: 'progress',
  step: number,
  data: { epoch, loss, token_accuracy: 0.5, learning_rate: 0.1 },
});
const measured = (at: number, eval_loss: number): CurvePoint => ({
  type: 'metric',
  step: at,
  data: { when: 'during', eval_loss, perplexity: 1, token_accuracy: 0.25 },
});

describe('learning curves', () => {
  it('are empty columns before the first step', () => {
    expect(learningCurves([])).toEqual({
      steps: [],
      epochs: [],
      train_loss: [],
      val_loss: [],
      train_accuracy: [],
      val_accuracy: [],
      learning_rate: [],
      train_reward_margin: [],
      val_reward_margin: [],
      train_reward_accuracy: [],
      val_reward_accuracy: [],
    });
  });

  it('are columns of one length, with nothing where nothing was measured', () => {
    expect(learningCurves([measured(0, 3), step(1, 2), step(2, 1), measured(2, 1.5), measured(3, 1.2)])).toEqual({
      steps: [0, 1, 2, 3],
      epochs: [0, 0.1, 0.2, 0.2],
      train_loss: [null, 2, 1, null],
      val_loss: [3, null, 1.5, 1.2],
      train_accuracy: [null, 0.5, 0.5, null],
      val_accuracy: [0.25, null, 0.25, 0.25],
      learning_rate: [null, 0.1, 0.1, null],
      train_reward_margin: [null, null, null, null],
      val_reward_margin: [null, null, null, null],
      train_reward_accuracy: [null, null, null, null],
      val_reward_accuracy: [null, null, null, null],
    });
  });

  it('show the rewards of a training by preferences', () => {
    const rewards = (margin: number) => ({ reward_margin: margin, reward_accuracy: 0.5 });
    const [before, one] = [measured(0, 0.69), step(1, 0.6)].map((point, index) => ({
      ...point,
      data: { ...point.data, ...rewards(index) },
    }));
    expect(learningCurves([before as CurvePoint, one as CurvePoint])).toMatchObject({
      train_reward_margin: [null, 1],
      val_reward_margin: [0, null],
      train_reward_accuracy: [null, 0.5],
      val_reward_accuracy: [0.5, null],
    });
  });

  it('show steps that ran again as the later attempt saw them, in order', () => {
    const curves = learningCurves([step(1, 9), step(2, 8), step(3, 7), step(2, 6), step(3, 5), step(4, 4)]);
    expect([curves.steps, curves.train_loss]).toEqual([
      [1, 2, 3, 4],
      [9, 6, 5, 4],
    ]);
  });

  it('take a loss that was no number as none', () => {
    expect(learningCurves([{ type: 'progress', step: 1, data: { epoch: 1, loss: null } }]).train_loss).toEqual([null]);
  });
});
