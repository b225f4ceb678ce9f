import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { noGpu, twoGpus } from '../../../../test/fixtures/configs/workplace.js';
import type { TrainerType } from '../job-state.js';
import type { ConfigContext, Machine } from './context.js';
import { resolveConfig } from './resolve-config.js';

const root = process.cwd();
const settings: ConfigContext['settings'] = {
  root,
  folders: {
    data: join(root, 'data'),
    cache: join(root, 'cache'),
    configs: [join(root, 'configs')],
    datasets: [join(root, 'data-samples')],
    models: [join(root, 'models')],
  },
  training: { allowRemoteCode: false, allowPickle: false },
};

const post = (file: string, trainer_type: TrainerType, machine: Machine) =>
  resolveConfig(
    { trainer_type, method: 'supervised', config_path: `configs/${file}`, dataset_path: null },
    { settings, machine },
  );

const shipped: [string, TrainerType][] = [
  ['lora_config.yaml', 'lora'],
  ['qlora_config.yaml', 'qlora'],
  ['continuous_config.yaml', 'continuous'],
  ['multi_gpu_config.yaml', 'lora'],
];

test('these are all training configurations that are shipped', async () => {
  const files = (await readdir('configs')).filter((name) => name.endsWith('.yaml') && name !== 'router_config.yaml');
  expect(files.toSorted()).toEqual(shipped.map(([file]) => file).toSorted());
});

describe.each(shipped)('%s as %s', (file, type) => {
  test.each([
    ['without a GPU', noGpu],
    ['with two GPUs', twoGpus],
    ['with one old GPU', { gpus: 1, bf16: false, cores: 4 }],
  ])('is accepted on a machine %s, and trains the default model on the sample', async (_name, machine) => {
    const job = await post(file, type, machine);
    expect(job.base_model).toBe('default');
    expect(job.config.run.data.train).toEqual([
      { path: join(root, 'data-samples', 'verwaltung.jsonl'), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    expect(job.config.run.training).toMatchObject({ logging_steps: 1, precision: 'auto' });
    expect(job.config.warnings.filter((warning) => !warning.startsWith('auto on this machine'))).toEqual([]);
  });
});

test('the one for several processes takes every GPU, else two processes', async () => {
  const processes = async (machine: Machine) => {
    const { config, gpus } = await post('multi_gpu_config.yaml', 'lora', machine);
    return [config.run.hardware.processes, gpus];
  };
  expect(await processes(noGpu)).toEqual([2, 0]);
  expect(await processes(twoGpus)).toEqual([2, 2]);
  expect(await processes({ gpus: 8, bf16: true, cores: 64 })).toEqual([8, 8]);
  expect(await processes({ gpus: 1, bf16: true, cores: 8 })).toEqual([1, 1]);
});
