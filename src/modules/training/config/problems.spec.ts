import { Workplace, noGpu, twoGpus } from '../../../../test/fixtures/configs/workplace.js';
import type { Machine } from './context.js';

let place: Workplace;
beforeAll(async () => {
  place = await Workplace.make();
  await place.model('models/pickled', 'pytorch_model.bin');
  await place.model('data/models/inside');
  await place.model('elsewhere/model');
  await place.model('data/postgres/model');
  await place.write('models/adapter/adapter_config.json', '{}');
  await place.write('models/empty/readme.txt', '');
  await place.write('models/weightless/config.json', '{}');
  await place.write('models/file', '');
});
afterAll(() => place.remove());

type Case = [yaml: string, ...problems: string[]];

const START = '\u0000';
function expectStart(text: string): string {
  return START + text;
}
function exactly(problem: string): RegExp {
  const quoted = problem.replace(START, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${quoted}${problem.startsWith(START) ? '' : '$'}`);
}

describe('a value that is none', () => {
  test.each<Case>([
    ['training: {learning_rate: fast}', 'training.learning_rate: "fast" is not a number'],
    ['training: {learning_rate: .nan}', 'training.learning_rate: NaN is not a number'],
    ['training: {learning_rate: .inf}', 'training.learning_rate: Infinity is not a number'],
    ['training: {learning_rate: 1e999}', 'training.learning_rate: Infinity is not a number'],
    ['training: {learning_rate: true}', 'training.learning_rate: true is not a number'],
    ['training: {learning_rate: [1]}', 'training.learning_rate: a list is not a number'],
    ['training: {learning_rate: {a: 1}}', 'training.learning_rate: a mapping is not a number'],
    ['training: {learning_rate: ""}', 'training.learning_rate: "" is not a number'],
    ['training: {learning_rate: "1,5"}', 'training.learning_rate: "1,5" is not a number'],
    ['training: {learning_rate: 0}', 'training.learning_rate: 0 is not above 0'],
    ['training: {learning_rate: 11}', 'training.learning_rate: 11 is not at most 10'],
    ['training: {batch_size: 1.5}', 'training.batch_size: 1.5 is not a whole number'],
    ['training: {batch_size: 0}', 'training.batch_size: 0 is not at least 1'],
    ['training: {batch_size: 1e30}', 'training.batch_size: 1e+30 is not at most 1000000000'],
    ['training: {seed: -1}', 'training.seed: -1 is not at least 0'],
    ['training: {seed: 4294967296}', 'training.seed: 4294967296 is not at most 4294967295'],
    ['training: {max_steps: 0}', 'training.max_steps: 0 is neither -1 (no limit) nor at least 1'],
    ['training: {max_steps: -2}', 'training.max_steps: -2 is not at least -1'],
    ['training: {num_epochs: 0}', 'training.num_epochs: 0 is not above 0'],
    ['training: {bf16: yes}', 'training.bf16: "yes" is not true or false, nor auto; write true'],
    [
      'training: {group_by_length: "true"}',
      'training.group_by_length: "true" is not true or false; write true without quotes',
    ],
    ['training: {group_by_length: 1}', 'training.group_by_length: 1 is not true or false'],
    ['training: {lr_scheduler: cosin}', expectStart('training.lr_scheduler: "cosin" is not one of linear, cosine, ')],
    ['training: {optim: adamw}', expectStart('training.optim: "adamw" is not one of adamw_torch, ')],
    ['training: {report_to: [wandb, slack]}', 'training.report_to: "slack" is not one of tensorboard, mlflow, wandb'],
    ['lora: {r: 0}', 'lora.r: 0 is not at least 1'],
    ['lora: {r: 2048}', 'lora.r: 2048 is not at most 1024'],
    ['lora: {alpha: 0}', 'lora.alpha: 0 is not above 0'],
    ['lora: {dropout: 1}', 'lora.dropout: 1 is not below 1'],
    ['lora: {target_modules: []}', 'lora.target_modules: the list is empty, nor all-linear'],
    ['lora: {target_modules: ["q proj"]}', 'lora.target_modules: "q proj" is not the name of a module, nor all-linear'],
    ['lora: {bias: some}', 'lora.bias: "some" is not one of none, all, lora_only'],
    ['lora: {task_type: SEQ_CLS}', 'lora.task_type: "SEQ_CLS" is not one of CAUSAL_LM'],
    [
      'lora: {inference_mode: true}',
      'lora.inference_mode: true is not possible: an adapter in inference mode is not trained',
    ],
    ['data: {validation_split: 0.95}', 'data.validation_split: 0.95 is not at most 0.9'],
    ['data: {max_length: 4}', 'data.max_length: 4 is not at least 8'],
    ['data: {train_file: []}', 'data.train_file: the list is empty'],
    ['data: {train_file: {a: b}}', 'data.train_file: a mapping is not a text'],
    ['model: {torch_dtype: fp8}', 'model.torch_dtype: "fp8" is not one of bfloat16, float16, float32, nor auto'],
    ['evaluation: {metric: bleu}', 'evaluation.metric: "bleu" is not one of perplexity'],
    ['evaluation: {patience: 0}', 'evaluation.patience: 0 is not at least 1'],
    ['hardware: {num_processes: 0}', 'hardware.num_processes: 0 is not at least 1, nor auto'],
    [
      'hardware: {max_memory_per_gpu: 12}',
      'hardware.max_memory_per_gpu: 12 is not an amount of memory such as 12GB or 20GiB, nor auto',
    ],
    ['safety: {max_memory_usage: 1.5}', 'safety.max_memory_usage: 1.5 is not at most 1, nor auto'],
    ['name: "a\\nb"', 'name: "a\\nb" holds control characters'],
    ['name: ""', 'name: the text is empty; leave the key out, or give it a value'],
    [`name: ${'x'.repeat(301)}`, 'name: the text is longer than 300 characters'],
  ])('%s', async (yaml, ...problems) => {
    expect(await place.problems(yaml)).toEqual(problems.map((problem) => expect.stringMatching(exactly(problem))));
  });

  test('the id of an adapter', async () => {
    expect(await place.problems('continuous: {adapter: newest}', { type: 'continuous' })).toEqual([
      'continuous.adapter: "newest" is not the id of a job, nor auto',
    ]);
  });
});

describe('a key that is none', () => {
  test.each<Case>([
    [
      'training: {lerning_rate: 1}',
      'training.lerning_rate: is not a key of a configuration; did you mean training.learning_rate?',
    ],
    [
      'training: {batchsize: 1}',
      'training.batchsize: is not a key of a configuration; did you mean training.batch_size?',
    ],
    [
      'training: {max_length: 1}',
      'training.max_length: is not a key of a configuration; did you mean data.max_length?',
    ],
    ['learning_rate: 1', 'learning_rate: is not a key of a configuration; did you mean training.learning_rate?'],
    ['lora: {rank: 8}', 'lora.rank: is not a key of a configuration'],
    ['trainig: {seed: 1}', 'trainig: is not a key of a configuration; did you mean training?'],
    ['data: {preprocessing: {dedup: true}}', 'data.preprocessing.dedup: is not a key of a configuration'],
    ['__proto__: {seed: 1}', '__proto__: is not a key of a configuration'],
    ['constructor: 1', 'constructor: is not a key of a configuration'],
    ['training: 5', 'training: 5 is not a section; write its keys below it, indented'],
    ['training: [seed]', 'training: a list is not a section; write its keys below it, indented'],
  ])('%s', async (yaml, ...problems) => {
    expect(await place.problems(yaml)).toEqual(problems);
  });

  test('ten thousand of them are told in short time', async () => {
    const yaml = Array.from({ length: 10_000 }, (_, index) => `k${index}: 1`).join('\n');
    expect(await place.problems(yaml)).toHaveLength(100);
  });
});

describe('keys that contradict each other', () => {
  test.each<Case>([
    [
      'training: {optimizer: sgd, optim: adafactor}',
      'training.optim: "adafactor" differs from training.optimizer: "sgd"; keep one of the two',
    ],
    [
      'training: {batch_size: 2, per_device_train_batch_size: 4}',
      'training.per_device_train_batch_size: 4 differs from training.batch_size: 2; keep one of the two',
    ],
    [
      'data: {train_file: a.jsonl, dataset_path: b.jsonl}',
      'data.dataset_path: a list differs from data.train_file: a list; keep one of the two',
      expectStart('data.train_file: "a.jsonl" lies outside of the allowed folders'),
    ],
    [
      'training: {bf16: true, fp16: true}',
      'training.fp16: true goes not with training.bf16: true; keep one of the two',
    ],
    [
      'training: {bf16: true}\nhardware: {mixed_precision: no}',
      'hardware.mixed_precision: "no" differs from bf16, which training.bf16 and fp16 ask for',
    ],
    [
      'model: {use_flash_attention: false}\noptimization: {attention_implementation: eager}',
      'optimization.attention_implementation: "eager" differs from model.use_flash_attention: false (sdpa); keep one of the two',
    ],
    [
      'evaluation: {early_stopping: true}\ndata: {validation_split: 0}',
      'evaluation.early_stopping: true needs rows to evaluate on; set data.validation_split above 0, or name a data.validation_file',
    ],
  ])('%s', async (yaml, ...problems) => {
    expect(await place.problems(yaml, { machine: twoGpus })).toEqual(
      problems.map((problem) => expect.stringMatching(exactly(problem))),
    );
  });

  test('the learning rate of a continuous job', async () => {
    const yaml = 'training: {learning_rate: 1e-4}\ncontinuous: {learning_rate: 1e-6}';
    expect(await place.problems(yaml, { type: 'continuous' })).toEqual([
      'continuous.learning_rate: 0.000001 differs from training.learning_rate: 0.0001; keep one of the two',
    ]);
    expect(await place.problems(yaml)).toEqual([]);
  });
});

describe('what this machine cannot do', () => {
  const old: Machine = { gpus: 2, bf16: false, cores: 8 };
  const gpu = (key: string, value: string) => `${key}: ${value} needs a GPU, and this machine has none; write auto`;
  test.each<[string, Machine, string]>([
    ['training: {ddp_backend: nccl}', noGpu, gpu('training.ddp_backend', '"nccl"')],
    ['distributed: {backend: nccl}', noGpu, gpu('distributed.backend', '"nccl"')],
    ['training: {fp16: true}', noGpu, gpu('training.fp16', 'true')],
    ['hardware: {mixed_precision: fp16}', noGpu, gpu('hardware.mixed_precision', '"fp16"')],
    ['model: {use_flash_attention: true}', noGpu, gpu('model.use_flash_attention', 'true')],
    ['hardware: {pin_memory: true}', noGpu, gpu('hardware.pin_memory', 'true')],
    ['hardware: {max_memory_per_gpu: 12GB}', noGpu, gpu('hardware.max_memory_per_gpu', '"12GB"')],
    ['safety: {max_memory_usage: 0.85}', noGpu, gpu('safety.max_memory_usage', '0.85')],
    [
      'training: {optim: paged_adamw_8bit}',
      noGpu,
      'training.optim: "paged_adamw_8bit" needs a GPU, and this machine has none; write adamw_torch',
    ],
    [
      'hardware: {num_processes: 9}',
      noGpu,
      'hardware.num_processes: 9 is too many: this machine has no GPU and 2 core(s); at most 8',
    ],
    [
      'hardware: {num_processes: 3}',
      twoGpus,
      'hardware.num_processes: 3 is too many: this machine has 2 GPU(s); at most 2',
    ],
    [
      'training: {bf16: true}',
      old,
      'training.bf16: true is not possible: a GPU of this machine has no bfloat16; write auto',
    ],
    [
      'hardware: {mixed_precision: bf16}',
      old,
      'hardware.mixed_precision: "bf16" is not possible: a GPU of this machine has no bfloat16; write auto',
    ],
  ])('%s on %j', async (yaml, machine, problem) => {
    expect(await place.problems(yaml, { machine })).toEqual([problem]);
  });

  test('is possible on another', async () => {
    const yaml = 'training: {fp16: true, optim: adamw_8bit}\nhardware: {pin_memory: true, max_memory_per_gpu: 12 GB}';
    const { config } = await place.resolve(yaml, { machine: twoGpus });
    expect(config.run.hardware.max_memory_per_gpu).toBe('12GB');
  });
});

describe('base models', () => {
  const outside = (name: string) =>
    `model.base_model: "${name}" lies outside of the folders for models (models, data, cache/models; CLARA_MODEL_DIRS)`;
  test.each<[string, string]>([
    ['defualt', 'model.base_model: "defualt" is not a model; did you mean default?'],
    ['a--b/c', 'model.base_model: "a--b/c" is not the id of a model on the hub (owner/name)'],
    ['/etc', outside('/etc')],
    ['./elsewhere/model', outside('./elsewhere/model')],
    ['data/postgres/model', outside('data/postgres/model')],
    ['elsewhere/model', outside('elsewhere/model')],
    ['./data/postgres/model', outside('./data/postgres/model')],
    ['models/../elsewhere/model', 'model.base_model: "models/../elsewhere/model" holds "..", which is not followed'],
    ['models/pickled', expectStart('model.base_model: "models/pickled" holds its weights only as pickle')],
    ['models/empty', 'model.base_model: "models/empty" is not a model folder: it has no config.json'],
    [
      'models/adapter',
      expectStart('model.base_model: "models/adapter" is not a model folder: it is an adapter; name its base'),
    ],
    ['models/weightless', 'model.base_model: "models/weightless" holds no weights (*.safetensors)'],
    ['models/file', 'model.base_model: "models/file" is not a folder'],
    ['./models/gone', 'model.base_model: "./models/gone" does not exist'],
    ['models/a/b/c', 'model.base_model: "models/a/b/c" does not exist'],
    ['~/model', expectStart('model.base_model: "~/model" starts with ~')],
  ])('%s is refused', async (name, problem) => {
    expect(await place.problems(`model: {base_model: "${name}"}`)).toEqual([expect.stringMatching(exactly(problem))]);
  });

  test('a folder is taken by its real path, wherever models may lie', async () => {
    for (const name of ['models/small', './models/small', 'data/models/inside', place.at('models/small')])
      expect((await place.resolve(`model: {name: ${name}}`)).base_model).toBe(place.at(name.replace(place.root, '.')));
  });

  test('a hub id is left as it is', async () => {
    for (const name of ['LeoLM/leo-hessianai-7b', 'mistralai/Mistral-7B-v0.1', 'gpt2', 'models/none-such'])
      expect((await place.resolve(`model: {name: ${name}}`)).config.run.model.path).toBe(name);
  });

  test('the default is the configured one', async () => {
    const base = async (baseModel: string) => (await place.resolve('{}', { training: { baseModel } })).base_model;
    expect(await base('mistralai/Mistral-7B-v0.1')).toBe('mistralai/Mistral-7B-v0.1');
    expect(await base('elsewhere/model')).toBe(place.at('elsewhere/model'));
    expect(await base(place.at('elsewhere/model'))).toBe(place.at('elsewhere/model'));
    expect(await place.problems('{}', { training: { baseModel: place.at('gone') } })).toEqual([
      'model.base_model: the default model "gone" (CLARA_BASE_MODEL) does not exist',
    ]);
  });

  test('the configured folder may be named though it lies elsewhere', async () => {
    const baseModel = place.at('elsewhere/model');
    expect(await place.problems(`model: {name: ${baseModel}}`, { training: { baseModel } })).toEqual([]);
  });

  test('pickle and code need the file and the operator', async () => {
    const yaml = 'model: {name: models/pickled, allow_pickle: true, trust_remote_code: true}';
    expect(await place.problems(yaml)).toEqual([
      'model.trust_remote_code: true is not allowed here; CLARA_ALLOW_REMOTE_CODE=true allows it',
      'model.allow_pickle: true is not allowed here; CLARA_ALLOW_PICKLE=true allows it',
      expect.stringContaining('holds its weights only as pickle'),
    ]);
    expect(await place.problems(yaml, { training: { allowPickle: true, allowRemoteCode: true } })).toEqual([]);
  });
});
