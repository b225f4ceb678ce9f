/** What a client asked for; a left out value is `auto`. */
export interface AskedHyperparameters {
  n_epochs: number | 'auto';
  /** Rows of one optimizer step. */
  batch_size: number | 'auto';
  /** Factor to the learning rate of the configuration. */
  learning_rate_multiplier: number | 'auto';
  /** Of DPO. */
  beta: number | 'auto';
}

/** What the configuration says, and of which size the base is. */
export interface ConfiguredParameters {
  /** Rows of one optimizer step, which the learning rate goes with. */
  batchSize: number;
  learningRate: number;
  warmupSteps: number;
  beta: number;
  /** Of the base; undefined: unknown. */
  parameters: number | undefined;
}

/** What a job runs with. */
export interface ResolvedHyperparameters {
  n_epochs: number;
  batch_size: number;
  learning_rate_multiplier: number;
  beta: number;
  learningRate: number;
  warmupSteps: number;
  /** Steps between two checkpoints. */
  saveSteps: number;
}

const BATCH_SHARE = 0.002;
const LARGEST_AUTO_BATCH = 16;
/** From about here on an adapter on 50 rows has changed the greedy answer (measured with the default base). */
const ENOUGH_STEPS = 300;
const FEWEST_AUTO_EPOCHS = 3;
const MOST_AUTO_EPOCHS = 30;
/** The shipped configuration is made for a base of a few million; what is usual with a larger one (configs/README.md). */
const SMALL_MODEL = 100_000_000;
const USUAL_RATE = 2e-4;
/** Fewer rows a step make its gradient rougher; by the square root, as is usual with Adam (Malladi et al. 2022). */
const LEAST_RATE_FACTOR = 1 / 3;
const WARMUP_SHARE = 0.1;
/** A crash costs no more than these. */
const MOST_STEPS_UNSAVED = 200;

const clamped = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

function batchOf(asked: number | 'auto', rows: number): number {
  return asked === 'auto' ? clamped(Math.round(rows * BATCH_SHARE), 1, LARGEST_AUTO_BATCH) : asked;
}

function epochsOf(asked: number | 'auto', stepsAnEpoch: number): number {
  if (asked !== 'auto') return asked;
  return clamped(Math.ceil(ENOUGH_STEPS / stepsAnEpoch), FEWEST_AUTO_EPOCHS, MOST_AUTO_EPOCHS);
}

/** Of the configuration's learning rate: less for small batches, and for a base that it was not made for. */
function multiplierOf(asked: number | 'auto', batch: number, configured: ConfiguredParameters): number {
  if (asked !== 'auto') return asked;
  const { learningRate, batchSize, parameters } = configured;
  const isSmall = parameters !== undefined && parameters <= SMALL_MODEL;
  const rate = isSmall ? learningRate : Math.min(learningRate, USUAL_RATE);
  const factor = clamped(Math.sqrt(batch / batchSize), LEAST_RATE_FACTOR, 1);
  return Number(((rate * factor) / learningRate).toPrecision(2));
}

/** The values of a job in place of `auto`; pure. */
export function resolveHyperparameters(
  asked: AskedHyperparameters,
  rows: number,
  configured: ConfiguredParameters,
): ResolvedHyperparameters {
  const batch = batchOf(asked.batch_size, rows);
  const stepsAnEpoch = Math.max(1, Math.ceil(rows / batch));
  const epochs = epochsOf(asked.n_epochs, stepsAnEpoch);
  const multiplier = multiplierOf(asked.learning_rate_multiplier, batch, configured);
  return {
    n_epochs: epochs,
    batch_size: batch,
    learning_rate_multiplier: multiplier,
    beta: asked.beta === 'auto' ? configured.beta : asked.beta,
    learningRate: configured.learningRate * multiplier,
    warmupSteps: Math.min(configured.warmupSteps, Math.floor(stepsAnEpoch * epochs * WARMUP_SHARE)),
    saveSteps: Math.min(stepsAnEpoch, MOST_STEPS_UNSAVED),
  };
}
