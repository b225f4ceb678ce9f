import { createHash } from 'node:crypto';
import { readFile, truncate } from 'node:fs/promises';
import { Workplace, noGpu, problemsOf, twoGpus } from '../../../../test/fixtures/configs/workplace.js';
import type { TrainerType } from '../job-state.js';
import { keys } from './config-keys.js';

let place: Workplace;
beforeAll(async () => {
  place = await Workplace.make();
});
afterAll(() => place.remove());

const original = (name: string) => readFile(`test/fixtures/configs/${name}`, 'utf8');
const warnings = async (yaml: string, posted = {}) => (await place.resolve(yaml, posted)).config.warnings;

describe('defaults', () => {
  const expected: Record<TrainerType, object> = {
    lora: {
      adapter: { r: 16, alpha: 32, dropout: 0.1 },
      quantization: null,
      data: { max_length: 512 },
      training: { epochs: 3, batch_size: 4, eval_batch_size: 4, gradient_accumulation_steps: 4, learning_rate: 2e-4 },
    },
    qlora: {
      adapter: { r: 64, alpha: 128, dropout: 0.05 },
      quantization: { bits: 4, type: 'nf4', double: true, compute_dtype: 'auto' },
      data: { max_length: 1024 },
      training: { epochs: 5, batch_size: 1, eval_batch_size: 1, gradient_accumulation_steps: 16, learning_rate: 2e-4 },
    },
    continuous: {
      adapter: { r: 8, alpha: 16, dropout: 0.05 },
      quantization: null,
      data: { max_length: 256 },
      training: { epochs: 1, batch_size: 1, eval_batch_size: 1, gradient_accumulation_steps: 4, learning_rate: 1e-6 },
    },
  };

  test.each(['lora', 'qlora', 'continuous'] as const)('of %s', async (type) => {
    const { config, ...job } = await place.resolve('{}', { type });
    expect(config.run).toMatchObject(expected[type]);
    expect(config.warnings).toEqual([]);
    expect(job).toMatchObject({
      output_dir: 'models',
      base_model: 'default',
      gpus: 0,
      config_path: 'configs/test.yaml',
    });
    expect(config.continuous).toEqual(type === 'continuous' ? { adapter: 'auto' } : undefined);
  });

  test('the shipped sample is the data, with its hash', async () => {
    const { config } = await place.resolve('data:\n');
    const sha256 = createHash('sha256').update('{"text": "Ein Satz."}\n').digest('hex');
    expect(config.run.data.train).toEqual([{ path: place.at('data-samples/verwaltung.jsonl'), sha256 }]);
  });
});

describe('values', () => {
  test.each(['2e-4', '"2e-4"', '0.0002', "'0.0002'", '.0002', '2.E-4', '+2e-4'])('learning_rate %s', async (text) => {
    const { config } = await place.resolve(`training: {learning_rate: ${text}}`);
    expect(config.run.training.learning_rate).toBe(0.0002);
  });

  test.each([
    ['bf16: true', 'bf16'],
    ['bf16: false', 'fp32'],
    ['fp16: false', 'fp32'],
    ['fp16: false, bf16: true', 'bf16'],
    ['fp16: auto, bf16: auto', 'auto'],
    ['seed: 1', 'auto'],
  ])('precision from %s', async (text, precision) => {
    expect((await place.resolve(`training: {${text}}`)).config.run.training.precision).toBe(precision);
  });

  test.each([
    ['model: {use_flash_attention: true}', 'flash_attention_2'],
    ['model: {use_flash_attention: false}', 'sdpa'],
    ['optimization: {attention_implementation: eager}', 'eager'],
    ['{model: {use_flash_attention: auto}, optimization: {attention_implementation: sdpa}}', 'sdpa'],
  ])('attention from %s', async (text, attention) => {
    expect((await place.resolve(text, { machine: twoGpus })).config.run.model.attention).toBe(attention);
  });

  test('an alias counts as its key', async () => {
    const yaml = 'training: {optim: sgd, lr_scheduler_type: cosine, per_device_train_batch_size: 7}';
    expect((await place.resolve(yaml)).config.run.training).toMatchObject({
      optimizer: 'sgd',
      lr_scheduler: 'cosine',
      batch_size: 7,
      eval_batch_size: 7,
    });
  });

  test('an alias may repeat its key in other words', async () => {
    expect(
      await place.problems('training: {learning_rate: 1e-6}\ncontinuous: {learning_rate: "0.000001"}', {
        type: 'continuous',
      }),
    ).toEqual([]);
  });

  test('int8 turns double quantisation off', async () => {
    const { config } = await place.resolve('qlora: {quant_type: int8, double_quant: true}', { type: 'qlora' });
    expect(config.run.quantization).toMatchObject({ bits: 8, type: 'int8', double: false });
    expect(config.warnings).toEqual(['qlora.double_quant is without effect with int8: it is false']);
  });

  test('a continuous job is quantised where its file says how', async () => {
    const { config } = await place.resolve('qlora: {quant_type: fp4}', { type: 'continuous' });
    expect(config.run.quantization).toMatchObject({ bits: 4, type: 'fp4' });
  });

  test('reports to all that are named', async () => {
    const { config } = await place.resolve('training: {report_to: tensorboard}\nwandb: {enabled: true, project: p}');
    expect(config.run.training).toMatchObject({
      report_to: ['tensorboard', 'wandb'],
      wandb: { project: 'p', entity: null },
    });
  });

  test('null is a value where the table says so', async () => {
    const { config } = await place.resolve('training: {save_total_limit: null, seed: null}');
    expect(config.run.training).toMatchObject({ save_total_limit: null, seed: 42 });
  });

  test('counted in steps, the epochs are not known yet', async () => {
    expect((await place.resolve('training: {max_steps: 20}')).total_epochs).toBe(0);
    expect((await place.resolve('training: {num_epochs: 1.5}')).total_epochs).toBe(2);
  });
});

describe('processes', () => {
  test.each([
    ['{}', noGpu, 1, 0],
    ['distributed:', noGpu, 2, 0],
    ['{distributed: {backend: auto}, hardware: {num_processes: auto}}', noGpu, 2, 0],
    ['{}', twoGpus, 1, 1],
    ['distributed: {backend: nccl}', twoGpus, 2, 2],
    ['hardware: {num_processes: 2}', twoGpus, 2, 2],
  ])('%s on %j', async (yaml, machine, processes, gpus) => {
    const job = await place.resolve(yaml, { machine });
    expect([job.config.run.hardware.processes, job.gpus]).toEqual([processes, gpus]);
  });
});

describe('warnings', () => {
  test.each([
    ['data: {padding: max}', 'data.padding is taken without effect'],
    ['ollama: {convert: true}', 'ollama is taken without effect'],
    ['qlora: {quant_type: nf4}', 'the section qlora is without effect, as trainer_type is lora'],
    ['continuous: {learning_rate: 5e-6}', 'the section continuous is without effect, as trainer_type is lora'],
    ['training: {max_steps: 10, warmup_steps: 6}', 'training.warmup_steps: 6 is more than half of the 10 steps'],
    ['training: {max_steps: 10, num_epochs: 2}', 'training.num_epochs is without effect, as training.max_steps is 10'],
    ['training: {output_dir: ./models/x/}', 'training.output_dir: ./models/x/ is taken as models/x'],
    ['hardware: {num_processes: 3}', 'hardware.num_processes: 3 processes share 2 core(s) and slow each other down'],
    [
      'distributed: {backend: auto}\nhardware: {num_processes: auto, pin_memory: auto}',
      'auto on this machine, which has no GPU: hardware.num_processes is 2, hardware.pin_memory is false, distributed.backend is gloo',
    ],
    [
      'data: {train_file: [data-samples/verwaltung.jsonl, ./data-samples/verwaltung.jsonl]}',
      'data.train_file: ./data-samples/verwaltung.jsonl is named twice and read once',
    ],
    [
      'data: {validation_file: data-samples/verwaltung.jsonl}',
      'data.validation_file holds rows that are trained on: the evaluation will look too good',
    ],
    [
      'data: {validation_split: 0}\ntraining: {eval_steps: 5}',
      'training.eval_steps is without effect, as there are no rows to evaluate on',
    ],
    [
      'training: {group_by_length: true}\ndata: {packing: true}',
      'training.group_by_length is without effect, as data.packing is true',
    ],
    ['memory: {empty_cache_steps: 5}', 'memory.empty_cache_steps is without effect, as this machine has no GPU'],
  ])('%j', async (yaml, warning) => {
    expect(await warnings(yaml)).toEqual([warning]);
  });
});

describe('data', () => {
  test('the posted file wins, and the one of the file need not exist', async () => {
    const yaml = 'data: {train_file: data-samples/gone.jsonl}';
    const { config } = await place.resolve(yaml, { dataset: 'data/uploads/mine.jsonl' });
    expect(config.run.data.train.map(({ path }) => path)).toEqual([place.at('data/uploads/mine.jsonl')]);
    expect(await place.problems(yaml)).toEqual([expect.stringContaining('"data-samples/gone.jsonl" does not exist')]);
  });

  test('an empty dataset_path is none', async () => {
    const { config } = await place.resolve('{}', { dataset: '' });
    expect(config.run.data.train).toHaveLength(1);
  });

  test('a file outside is refused by the name of its request', async () => {
    expect(await problemsOf(place.resolve('{}', { dataset: '/etc/hosts.json' }))).toEqual([
      'dataset_path: "/etc/hosts.json" lies outside of the allowed folders; a data set is a file ending in .jsonl or .json or .csv or .parquet in data-samples, data/datasets, data/uploads',
    ]);
  });
});

describe('files of the original', () => {
  test('lora', async () => {
    const { config, output_dir, base_model } = await place.resolve(await original('original_lora.yaml'));
    expect({ output_dir, base_model }).toEqual({
      output_dir: 'models/lora_outputs',
      base_model: 'LeoLM/leo-hessianai-7b',
    });
    expect(config.run.training).toMatchObject({
      learning_rate: 2e-4,
      precision: 'fp32',
      early_stopping: { patience: 3 },
    });
    expect(config.warnings).toEqual(['ollama is taken without effect']);
  });

  test('continuous', async () => {
    const { config, output_dir } = await place.resolve(await original('original_continuous.yaml'), {
      type: 'continuous',
    });
    expect(output_dir).toBe('models/continuous');
    expect(config).toMatchObject({ name: 'clara-continuous', continuous: { adapter: 'auto' } });
    expect(config.run.training).toMatchObject({
      learning_rate: 1e-6,
      epochs: 1,
      batch_size: 1,
      run_name: 'clara-continuous',
    });
    expect(config.warnings).toContain('continuous.feedback_weights is taken without effect');
  });

  test('the router is no training configuration', async () => {
    expect(await problemsOf(place.resolve(await original('router_config.yaml')))).toEqual(
      ['thresholds', 'weights', 'options'].map((name) => expect.stringContaining(`${name}: is not a key`)),
    );
  });
});

test('all problems are told at once, and stand in the message', async () => {
  const resolving = place.resolve('training: {learning_rate: fast, batch_size: 0}\nlora: {r: 5000}\nhardwear: {}');
  await expect(resolving).rejects.toMatchObject({ code: 'invalid', status: 422 });
  await expect(resolving).rejects.toThrow('The configuration has 4 problems: hardwear: is not a key');
  expect(await problemsOf(resolving)).toHaveLength(4);
});

test('every key of the table stands in the table of the document', async () => {
  const document = await readFile('configs/README.md', 'utf8');
  const paths = Object.entries(keys).flatMap(([name, key]) => [name, ...key.aliases]);
  expect(paths.filter((path) => !document.includes(`\`${path}\``))).toEqual([]);
  const told = [...document.matchAll(/^\| ((?:`[\w.]+`(?:, )?)+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([\w.]+)`/g)].map(([, path]) => path),
  );
  expect(told.filter((path) => path !== undefined && !paths.includes(path))).toEqual([]);
});

test('a file of more than 256 MiB is taken without its hash', async () => {
  await place.write('data-samples/large.jsonl', '');
  await truncate(place.at('data-samples/large.jsonl'), 256 * 1024 * 1024 + 1);
  const { config } = await place.resolve('data: {train_file: data-samples/large.jsonl}');
  expect(config.run.data.train).toEqual([{ path: place.at('data-samples/large.jsonl'), sha256: null }]);
});
