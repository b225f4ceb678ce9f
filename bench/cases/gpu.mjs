import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { lastLines, runProgram } from '../../scripts/program.mjs';
import { findPython, installTrainer } from '../../scripts/python.mjs';
import { root } from '../../scripts/root.mjs';
import { callJson, cleanEnvironment, startApplication, until } from '../application.mjs';
import { median, spread } from '../figures.mjs';

export const title = 'tokens per second on a GPU, against a plain TRL script';
export const usage = '--model 1b|3b|8b (1b), or tiny for a try without a GPU; --pairs N (3) --steps N (40)';

const ROWS = 4000;
const WARM_UP_STEPS = 5;
const LONGEST_MS = 3_600_000;

function gpuName() {
  try {
    return execFileSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** Tokens a second between the steps behind the warm-up and the last. @param {{time: number, tokens: number}[]} points seconds */
function pace(points) {
  const [first, last] = [points[Math.min(WARM_UP_STEPS, points.length - 2)], points.at(-1)];
  return (last.tokens - first.tokens) / (last.time - first.time);
}

async function python(interpreter, args, env = {}) {
  const { code, output } = await runProgram(interpreter, args, { env: { ...cleanEnvironment(), ...env } });
  if (code !== 0) throw new Error(`${args[0]} failed:\n${lastLines(output, 20)}`);
  return output;
}

function writeConfig(folder, steps) {
  const config = {
    model: { base_model: join(folder, 'model') },
    lora: { r: 16, alpha: 32, dropout: 0.0 },
    data: { validation_split: 0, max_length: 1024, preprocessing: { remove_duplicates: false } },
    training: {
      max_steps: steps,
      batch_size: 8,
      gradient_accumulation_steps: 2,
      learning_rate: 2e-4,
      save_steps: 100_000,
    },
  };
  mkdirSync(join(folder, 'configs'), { recursive: true });
  writeFileSync(join(folder, 'configs', 'gpu.yaml'), stringify(config));
}

async function byClara(clara, folder, trainerType) {
  const body = {
    trainer_type: trainerType,
    config_path: join(folder, 'configs', 'gpu.yaml'),
    dataset_path: join(folder, 'model', 'rows.jsonl'),
  };
  const { job_id } = await callJson(`${clara.url}/api/training/jobs`, { method: 'POST', body });
  const job = async () => (await callJson(`${clara.url}/api/training/jobs/${job_id}`)).data;
  await until(async () => ['completed', 'failed'].includes((await job()).status), 'the end of the job', {
    ms: 500,
    deadlineMs: LONGEST_MS,
  });
  const { status, error_message, metrics } = await job();
  if (status !== 'completed') throw new Error(`the job ${status}: ${error_message}`);
  const { estimate } = await callJson(`${clara.url}/api/training/jobs/${job_id}/estimate`);
  const run = join(folder, 'data', 'runs', job_id, '1');
  const events = readFileSync(join(run, 'events.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const points = events
    .filter(({ type }) => type === 'progress')
    .map(({ time, data }) => ({ time: Date.parse(time) / 1000, tokens: data.tokens_seen, loss: data.loss }));
  return { run, points, peak: metrics.peak_memory_bytes, estimate };
}

async function byTrl(interpreter, folder, run, gpu) {
  const env = gpu ? {} : { CUDA_VISIBLE_DEVICES: '' };
  const output = await python(
    interpreter,
    [join(root, 'bench', 'gpu', 'plain_trl.py'), join(run, 'run.json'), join(folder, 'trl')],
    env,
  );
  return JSON.parse(output.trim().split('\n').at(-1));
}

const lossAtEnd = (points) => median(points.slice(-5).map(({ loss }) => loss));

function figuresOf(type, pairs, gpu) {
  const paces = (side) => spread(pairs.map((pair) => pace(pair[side].points)));
  const ratio = spread(pairs.map(({ clara, trl }) => pace(clara.points) / pace(trl.points)));
  const { clara, trl } = pairs.at(-1);
  const memory = gpu
    ? [
        { name: `${type} peak GPU memory, CLARA`, unit: 'GB', value: (clara.peak?.gpu ?? Number.NaN) / 1e9 },
        { name: `${type} peak GPU memory, TRL`, unit: 'GB', value: trl.peak_gpu_bytes / 1e9 },
        { name: `${type} estimate`, unit: 'GB', value: (clara.estimate?.bytes.total ?? Number.NaN) / 1e9 },
      ]
    : [];
  return [
    { name: `${type} CLARA / plain TRL`, unit: 'times', ...ratio, ...(gpu ? { target: { least: 1.5 } } : {}) },
    { name: `${type} CLARA`, unit: 'tokens/s', ...paces('clara') },
    { name: `${type} plain TRL`, unit: 'tokens/s', ...paces('trl') },
    { name: `${type} loss at the end, CLARA`, unit: '', value: lossAtEnd(clara.points) },
    { name: `${type} loss at the end, plain TRL`, unit: '', value: lossAtEnd(trl.points) },
    ...memory,
  ];
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const gpu = gpuName();
  const size = options.model ?? '1b';
  if (!gpu && size !== 'tiny') {
    say('This machine has no GPU, so there is nothing to measure here; --model tiny tries the whole path on the CPU.');
    return { figures: [], setup: ['Not measured: no GPU on this machine.'] };
  }
  const interpreter = await installTrainer({ python: await findPython(), dev: false, say });
  await python(interpreter, [join(root, 'bench', 'gpu', 'make_model.py'), join(folder, 'model'), size, String(ROWS)]);
  writeConfig(folder, Number(options.steps ?? 40));
  const env = {
    CLARA_CONFIG_DIRS: join(folder, 'configs'),
    CLARA_MODEL_DIRS: folder,
    CLARA_DATASET_DIRS: join(folder, 'model'),
    CLARA_BASE_MODEL: join(folder, 'model'),
  };
  const clara = await startApplication({ folder, env });
  closing(() => clara.stop('SIGINT'));
  const figures = [];
  for (const type of ['lora', 'qlora']) {
    const pairs = [];
    for (let index = 0; index < Number(options.pairs ?? 3); index += 1) {
      const ours = await byClara(clara, folder, type);
      const trl = await byTrl(interpreter, folder, ours.run, gpu);
      pairs.push({ clara: ours, trl });
      say(`${type}: CLARA ${pace(ours.points).toFixed(0)} tokens/s, plain TRL ${pace(trl.points).toFixed(0)} tokens/s`);
    }
    figures.push(...figuresOf(type, pairs, gpu));
  }
  return {
    figures,
    setup: [
      `${gpu ?? 'No GPU: a try of the path on the CPU'}; a Llama-shaped model (${size}) of random weights, ${ROWS} rows of chat of uneven length, equal settings; tokens without padding, behind ${WARM_UP_STEPS} steps of warm-up.`,
      'Plain TRL: SFTTrainer with its defaults (no packing, the default attention of transformers), bf16 on a GPU, loss on the answers only, as CLARA trains.',
    ],
  };
}
