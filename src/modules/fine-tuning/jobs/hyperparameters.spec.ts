import { resolveHyperparameters, type AskedHyperparameters } from './hyperparameters.js';

const auto: AskedHyperparameters = {
  n_epochs: 'auto',
  batch_size: 'auto',
  learning_rate_multiplier: 'auto',
  beta: 'auto',
};
/** As the shipped configuration and the base that is made on the spot have them. */
const shipped = { batchSize: 16, learningRate: 0.003, warmupSteps: 5, beta: 0.1, parameters: 4_500_000 };
const resolve = (rows: number, asked: Partial<AskedHyperparameters> = {}, configured = {}) =>
  resolveHyperparameters({ ...auto, ...asked }, rows, { ...shipped, ...configured });

describe('auto', () => {
  it.each([
    [1, 1],
    [50, 1],
    [749, 1],
    [750, 2],
    [1000, 2],
    [4000, 8],
    [8000, 16],
    [1_000_000, 16],
  ])('takes for %i rows steps of %i', (rows, batch) => expect(resolve(rows).batch_size).toBe(batch));

  it.each([
    [1, 30],
    [12, 25],
    [50, 6],
    [100, 3],
    [10_000, 3],
  ])('trains %i rows %i times: enough steps to show, and never less than three passes', (rows, epochs) =>
    expect(resolve(rows).n_epochs).toBe(epochs),
  );

  it('warms up over a tenth of the steps at most', () => {
    expect(resolve(50).warmupSteps).toBe(5);
    expect(resolve(50, {}, { warmupSteps: 100 }).warmupSteps).toBe(30);
    expect(resolve(10, { n_epochs: 1 }).warmupSteps).toBe(1);
    expect(resolve(1, { n_epochs: 1 }).warmupSteps).toBe(0);
  });

  it('lowers the learning rate with the square root of the batch, to a third at most', () => {
    const multipliers = [50, 2000, 4000, 8000].map((rows) => resolve(rows).learning_rate_multiplier);
    expect(multipliers).toEqual([0.33, 0.5, 0.71, 1]);
    expect(resolve(8000).learningRate).toBe(0.003);
    expect(resolve(50, { batch_size: 64 }).learning_rate_multiplier).toBe(1);
  });

  it('takes the usual learning rate where the base is large, or nobody knows how large', () => {
    for (const parameters of [7_000_000_000, undefined])
      expect(resolve(8000, {}, { parameters }).learningRate).toBeCloseTo(2e-4, 5);
    expect(resolve(8000, {}, { parameters: 7e9, learningRate: 1e-4 }).learning_rate_multiplier).toBe(1);
  });

  it('saves at the end of each pass, and every 200 steps of a long one', () => {
    expect(resolve(50).saveSteps).toBe(50);
    expect(resolve(100_000).saveSteps).toBe(200);
  });
});

it('leaves what is named as it is', () => {
  const asked = { n_epochs: 2, batch_size: 5, learning_rate_multiplier: 0.1, beta: 0.4 };
  expect(resolve(50, asked, { parameters: undefined })).toEqual({
    ...asked,
    learningRate: 0.003 * 0.1,
    warmupSteps: 2,
    saveSteps: 10,
  });
});
