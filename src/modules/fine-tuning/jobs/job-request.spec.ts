import type { CreateFineTuningJobDto } from './create-job.dto.js';
import { jobRequest } from './job-request.js';

const base = { name: 'clara-base', baseModel: 'default', versionId: null };
const version = { name: 'ft:a:b::c', baseModel: null, versionId: 'v' };
const body = (more: object = {}): CreateFineTuningJobDto => ({ model: 'm', training_file: 'f', ...more });
const asked = { n_epochs: 'auto', batch_size: 'auto', learning_rate_multiplier: 'auto', beta: 'auto' };

it('takes everything that is left out for auto', () =>
  expect(jobRequest(body(), base, () => 5)).toEqual({
    method: 'supervised',
    asked,
    suffix: null,
    seed: 5,
    baseModel: 'default',
    versionId: null,
    lora: {},
  }));

it('reads the values of the method that is named', () => {
  const method = {
    type: 'dpo',
    dpo: { hyperparameters: { beta: 0.2 } },
    supervised: { hyperparameters: { n_epochs: 9 } },
  };
  expect(jobRequest(body({ method }), version, () => 0)).toMatchObject({
    method: 'dpo',
    asked: { ...asked, beta: 0.2 },
    versionId: 'v',
  });
  const both = { method: { type: 'supervised' }, hyperparameters: { n_epochs: 2 }, seed: 0 };
  expect(jobRequest(body(both), base)).toMatchObject({ asked: { ...asked, n_epochs: 2 }, seed: 0 });
});

it('refuses what says two things', () => {
  const hyperparameters = { n_epochs: 2 };
  const twice = body({ hyperparameters, method: { type: 'supervised', supervised: { hyperparameters } } });
  expect(() => jobRequest(twice, base)).toThrow('method.supervised.hyperparameters says it already');
  expect(() => jobRequest(body({ lora: { rank: 8 } }), version)).toThrow('ft:a:b::c keeps its rank');
});
