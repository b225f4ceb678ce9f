import { anyConfig, anyJob } from '../../../test/fixtures/runs.js';
import { buildRun, type AttemptFacts } from './run-builder.js';

const facts: AttemptFacts = {
  defaultModel: '/models/default',
  startFrom: null,
  resumeFrom: null,
  orphanSeconds: undefined,
};

describe('the run file of an attempt', () => {
  it('is the configuration with what only the start knows', () => {
    const job = anyJob({ attempt: 3, fence: 7, gpu_indices: [1, 2] });
    const config = anyConfig();
    expect(buildRun(job, config, { ...facts, resumeFrom: '/c/checkpoint-5', orphanSeconds: 60 })).toEqual({
      version: 1,
      job_id: job.job_id,
      attempt: 3,
      fence: 7,
      trainer_type: 'lora',
      ...config.run,
      model: { ...config.run.model, path: '/models/default' },
      hardware: { ...config.run.hardware, gpus: [1, 2] },
      resume_from: '/c/checkpoint-5',
      orphan_seconds: 60,
    });
  });

  it('keeps a model that is named', () => {
    const { model } = anyConfig().run;
    const config = anyConfig({ model: { ...model, path: 'org/model' } });
    expect(buildRun(anyJob(), config, facts).model.path).toBe('org/model');
  });

  it('names the adapter that a continuous job trains further', () => {
    expect(buildRun(anyJob(), anyConfig(), facts).adapter.start_from).toBeNull();
    expect(buildRun(anyJob(), anyConfig(), { ...facts, startFrom: '/a' }).adapter.start_from).toBe('/a');
  });

  it.each([
    [4, 2, 0, 4, 2],
    [4, 2, 1, 2, 4],
    [4, 2, 2, 1, 8],
    [3, 2, 1, 1, 6],
    [1, 5, 2, 1, 5],
  ])(
    'halves the micro-batch %i (accumulation %i) %i times to %i and %i',
    (batch, steps, halvings, size, accumulation) => {
      const { training } = anyConfig().run;
      const config = anyConfig({
        training: { ...training, batch_size: batch, gradient_accumulation_steps: steps, eval_batch_size: batch },
      });
      const run = buildRun(anyJob({ batch_halvings: halvings }), config, facts);
      expect([run.training.batch_size, run.training.gradient_accumulation_steps]).toEqual([size, accumulation]);
      expect(run.training.eval_batch_size).toBe(size);
    },
  );
});
