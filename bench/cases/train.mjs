import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { findPython, installTrainer } from '../../scripts/python.mjs';
import { root } from '../../scripts/root.mjs';
import { CONFIG, callJson, cleanEnvironment, startApplication, until } from '../application.mjs';
import { median, spread } from '../figures.mjs';
import { cpuSeconds, familyOf } from '../processes.mjs';

export const title = 'a supervised training against the same accelerate command by hand';
export const usage = '--minutes N (5) --pairs N (5)';

const CALIBRATION_STEPS = 25;
const LONGEST_MS = 3_600_000;
const LOOK_MS = 500;
/** As the application writes it for one process. */
const LAUNCH = '--num_processes 1 --num_machines 1 --mixed_precision no --dynamo_backend no'.split(' ');

/** The shipped configuration with a number of steps; everything else is as it is. */
function writeConfig(folder, steps) {
  const config = parse(readFileSync(join(root, CONFIG), 'utf8'));
  config.training = { ...config.training, max_steps: steps };
  mkdirSync(join(folder, 'configs'), { recursive: true });
  writeFileSync(join(folder, 'configs', 'train.yaml'), stringify(config));
}

/** CPU that a process and its descendants have used, as far as a look every half second sees it. */
class CpuWatch {
  seconds = 0;

  /** @param {() => number | undefined} pid */
  constructor(pid) {
    this.timer = setInterval(() => {
      const root = pid();
      if (root !== undefined) this.seconds = Math.max(this.seconds, cpuSeconds(familyOf(root)));
    }, LOOK_MS);
  }

  stop() {
    clearInterval(this.timer);
    return this.seconds;
  }
}

const launcherOf = (run) => {
  try {
    return JSON.parse(readFileSync(join(run, 'launcher.json'), 'utf8')).pid;
  } catch {
    return undefined;
  }
};

/** From the request to the recorded end; the application runs only meanwhile. */
async function supervised(folder, steps, closing) {
  writeConfig(folder, steps);
  const clara = await startApplication({ folder, env: { CLARA_CONFIG_DIRS: join(folder, 'configs') } });
  closing(() => clara.stop('SIGINT'));
  try {
    const ready = async () => (await callJson(`${clara.url}/readyz`)).status === 'ok';
    await until(ready, 'the trainer environment', { ms: 500, deadlineMs: LONGEST_MS });
    const used = cpuSeconds(familyOf(clara.pid));
    const started = performance.now();
    const { job_id } = await callJson(`${clara.url}/api/training/jobs`, {
      method: 'POST',
      body: { trainer_type: 'lora', config_path: join(folder, 'configs', 'train.yaml'), dataset_path: '' },
    });
    const run = join(folder, 'data', 'runs', job_id, '1');
    const watch = new CpuWatch(() => launcherOf(run));
    closing(() => watch.stop());
    const job = async () => (await callJson(`${clara.url}/api/training/jobs/${job_id}`)).data;
    await until(async () => ['completed', 'failed'].includes((await job()).status), 'the end of the job', {
      ms: 500,
      deadlineMs: LONGEST_MS,
    });
    const seconds = (performance.now() - started) / 1000;
    const { status, error_message } = await job();
    if (status !== 'completed') throw new Error(`the job ${status}: ${error_message}`);
    return { seconds, run, cpu: watch.stop(), ownCpu: cpuSeconds(familyOf(clara.pid)) - used };
  } finally {
    await clara.stop('SIGINT');
  }
}

/** The same command, environment and run.json, without CLARA: from the spawn to the exit. */
async function byHand(folder, { run, python, name }) {
  const own = join(folder, 'by-hand', name, '1');
  mkdirSync(own, { recursive: true });
  cpSync(join(run, 'run.json'), join(own, 'run.json'));
  const log = openSync(join(own, 'worker.log'), 'a');
  /** @type {NodeJS.ProcessEnv} */
  const env = {
    ...cleanEnvironment(),
    PYTHONPATH: join(root, 'trainer', 'src'),
    PYTHONUNBUFFERED: '1',
    CLARA_THREADS: String(cpus().length),
    CUDA_VISIBLE_DEVICES: readFileSync(join(run, 'run.json'), 'utf8')
      .match(/"gpus":\s*\[([^\]]*)\]/)[1]
      .replace(/\s/g, ''),
  };
  if (env.CUDA_VISIBLE_DEVICES === '') env.ACCELERATE_USE_CPU = 'true';
  const started = performance.now();
  const args = ['-m', 'accelerate.commands.launch', ...LAUNCH, '-m', 'clara_trainer', '--run', own];
  const child = spawn(python, args, { cwd: own, env, stdio: ['ignore', log, log] });
  const watch = new CpuWatch(() => child.pid);
  const code = await new Promise((resolve, reject) => child.once('exit', resolve).once('error', reject));
  const seconds = (performance.now() - started) / 1000;
  const cpu = watch.stop();
  if (code !== 0)
    throw new Error(
      `the training by hand ended with ${code}:\n${readFileSync(join(own, 'worker.log'), 'utf8').slice(-2000)}`,
    );
  return { seconds, cpu };
}

/** Steps that fill the minutes, from the pace of a short training and what it takes beside its steps. */
async function calibrate(folder, minutes, { say, closing }) {
  const { run, seconds } = await supervised(folder, CALIBRATION_STEPS, closing);
  const events = readFileSync(join(run, 'events.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const progress = events.filter(({ type }) => type === 'progress');
  const pace = (Date.parse(progress.at(-1).time) - Date.parse(progress[0].time)) / 1000 / (progress.length - 1);
  const beside = Math.max(0, seconds - pace * CALIBRATION_STEPS);
  const steps = Math.max(CALIBRATION_STEPS, Math.ceil((minutes * 60 - beside) / pace));
  say(`${pace.toFixed(3)} s a step and ${beside.toFixed(0)} s beside: ${steps} steps`);
  return steps;
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const minutes = Number(options.minutes ?? 5);
  const pairs = Number(options.pairs ?? 5);
  const python = await installTrainer({ python: await findPython(), dev: false, say });
  const steps = options.steps ? Number(options.steps) : await calibrate(folder, minutes, { say, closing });
  const done = [];
  for (let index = 0; index < pairs; index += 1) {
    const ours = await supervised(folder, steps, closing);
    const hand = await byHand(folder, { run: ours.run, python, name: String(index) });
    const pair = {
      ours: ours.seconds,
      hand: hand.seconds,
      ratio: ours.seconds / hand.seconds,
      cpu: ours.cpu / hand.cpu,
      ownCpu: ours.ownCpu,
    };
    done.push(pair);
    say(
      `supervised ${pair.ours.toFixed(1)} s, by hand ${pair.hand.toFixed(1)} s: ${pair.ratio.toFixed(4)}; ` +
        `CPU ${ours.cpu.toFixed(1)} and ${hand.cpu.toFixed(1)} s, of the application ${ours.ownCpu.toFixed(1)} s`,
    );
  }
  const of = (key) => done.map((pair) => pair[key]);
  return {
    figures: [
      {
        name: 'supervised / by hand',
        unit: 'times',
        ...spread(of('ratio')),
        value: median(of('ratio')),
        target: { most: 1.02 },
      },
      { name: 'supervised', unit: 's', ...spread(of('ours')) },
      { name: 'by hand', unit: 's', ...spread(of('hand')) },
      { name: 'CPU of the training, supervised / by hand', unit: 'times', ...spread(of('cpu')) },
      { name: 'CPU of the application and its database meanwhile', unit: 's', ...spread(of('ownCpu')) },
    ],
    setup: [
      `${pairs} alternating pairs of ${steps} steps of ${CONFIG} with the default base model (lora, CPU threads: all cores, each step logged); supervised is from before the POST to the recorded end, with the embedded PostgreSQL; by hand is the same run.json from the spawn to the exit, with no application running. Nothing is pinned.`,
    ],
  };
}
