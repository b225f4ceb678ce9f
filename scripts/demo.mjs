#!/usr/bin/env node
// `npm run demo`: installs what is missing, starts the application in debug mode, takes the sample documents in, searches them,
// makes a dataset of them, trains a LoRA on it, and asks the base and the new adapter the same question.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnApplication } from './application.mjs';
import { documentsToDataset } from './demo-documents.mjs';
import { answersOf, resultOf } from './demo-result.mjs';
import { checkPortsAreFree, portOf } from './ports.mjs';
import { prepare } from './prepare.mjs';
import { orShowProblem, Problem } from './problem.mjs';
import { ProgressLine } from './progress-line.mjs';
import { findPython } from './python.mjs';
import { ServingClient } from './serving-client.mjs';
import { TrainingClient } from './training-client.mjs';

const REQUEST = {
  trainer_type: 'lora',
  config_path: 'configs/lora_config.yaml',
  priority: 3,
  tags: ['verwaltungsrecht', 'demo'],
};
const POLL_MS = 500;
const STARTED_MS = 90_000;

/** @type {Record<string, string>} */
const PHASES = {
  importing: 'The trainer starts',
  loading_model: 'Loading the base model',
  preparing_data: 'Preparing the data',
  evaluating_before: 'Evaluating the base model',
  training: 'Training',
  evaluating_after: 'Evaluating the adapter',
  saving: 'Saving the adapter',
};

/** Debug mode on the embedded database, whatever servers the settings name. */
function demoEnvironment(/** @type {string} */ python) {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('UDS3_'));
  return { ...Object.fromEntries(kept), CLARA_SECURITY_MODE: 'debug', CLARA_PYTHON: python };
}

/** The application as a child: Ctrl-C stops it, its trainings save first. */
class Demo {
  #line = new ProgressLine(process.stdout);
  #left = new AbortController();

  /**
   * @param {NodeJS.ProcessEnv} env
   */
  constructor(env) {
    this.env = env;
    this.address = `${env.CLARA_HOST || '127.0.0.1'}:${portOf(env, 'CLARA_TRAINING_PORT')}`;
    this.client = new TrainingClient(this.address);
    this.application = spawnApplication(env, ['ignore', 'ignore', 'inherit']);
    this.ended = once(this.application, 'exit').then(() => this.#applicationEnded());
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
      process.on(signal, () => this.#leave());
  }

  get isLeft() {
    return this.#left.signal.aborted;
  }

  #applicationEnded() {
    if (this.isLeft) return;
    this.#left.abort();
    this.tell('The application ended by itself; logs/training_backend.log tells more.');
    process.exitCode = 1;
  }

  /** @param {string} text */
  tell(text) {
    this.#line.end();
    console.log(text);
  }

  #leave() {
    if (this.isLeft) return;
    this.#left.abort();
    this.tell('Stopping. A training that still runs saves a checkpoint and goes on at the next start.');
    this.application.kill('SIGINT');
  }

  /** @throws Problem where it ends instead */
  async up() {
    this.#line.say('Starting the application ...');
    for (const until = Date.now() + STARTED_MS; Date.now() < until; await sleep(POLL_MS / 5)) {
      if (this.application.exitCode !== null)
        throw new Problem('The application did not start; the reason stands above.');
      if (this.isLeft || (await this.client.isUp())) return;
    }
    throw new Problem('The application does not answer; logs/training_backend.log tells more.');
  }

  /** Documents, a search, a dataset. */
  dataset() {
    const { signal } = this.#left;
    return documentsToDataset(this.address, {
      tell: (text) => this.tell(text),
      say: (text) => this.#line.say(text),
      signal,
    });
  }

  /**
   * An interrupted demo goes on; else a new job is posted.
   * @param {string} reference what it trains on
   */
  async job(reference) {
    for (const status of ['running', 'queued', 'pending']) {
      const unfinished = (await this.client.jobs(status)).find(({ tags }) => tags.includes('demo'));
      if (unfinished) return { job: unfinished, isNew: false };
    }
    return { job: await this.client.post({ ...REQUEST, dataset_path: reference }), isNew: true };
  }

  /** @param {string} jobId */
  async follow(jobId) {
    const done = new AbortController();
    const signal = AbortSignal.any([done.signal, this.#left.signal]);
    const waiting = this.#showWaiting(jobId, signal);
    await this.client.follow(jobId, (update) => this.#show(update), signal);
    done.abort();
    await waiting;
    this.#line.end();
  }

  /** @param {import('./training-client.mjs').JobUpdate} update */
  #show(update) {
    if (update.event === 'progress') this.#line.step(update);
    if (update.event === 'phase') void this.#showPhase(update).catch(() => undefined);
  }

  /** @param {import('./training-client.mjs').JobUpdate} update */
  async #showPhase(update) {
    const event = await this.client.event(update.job_id, update.number);
    const text = PHASES[event?.data.phase];
    if (text) this.#line.say(`${text} ...`);
  }

  /**
   * @param {string} jobId
   * @param {AbortSignal} signal
   */
  async #showWaiting(jobId, signal) {
    while (!signal.aborted) {
      const { status, waiting_for: reason } = await this.client
        .job(jobId)
        .catch(() => ({ status: '', waiting_for: null }));
      const trainer = await this.client.trainer().catch(() => ({ ready: true, reason: undefined }));
      if (!trainer.ready && trainer.reason) this.#line.say(trainer.reason);
      else if (reason) this.#line.say(`The job waits for: ${reason}`);
      await sleep(status === 'running' ? 4 * POLL_MS : POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /**
   * What the job gained, and the base and the adapter side by side.
   * @param {string} jobId
   * @param {string} question
   */
  async result(jobId, question) {
    for (const line of resultOf(await this.client.job(jobId), this.env)) this.tell(line);
    this.#line.say('The engine starts ...');
    const asked = { jobId, question, signal: this.#left.signal };
    for (const line of await answersOf(new ServingClient(this.address), asked)) this.tell(line);
    if (!this.env.CLARA_BASE_MODEL)
      this.tell('The small model picks up the manner of such answers; right ones take a real one: CLARA_BASE_MODEL.');
  }

  /** Once only: a second Ctrl-C would cut short what the first one began. */
  async stop() {
    if (!this.isLeft) {
      this.#left.abort();
      this.application.kill('SIGINT');
    }
    await this.ended;
  }
}

/** @param {Demo} demo */
async function run(demo) {
  await demo.up();
  if (demo.isLeft) return;
  const made = await demo.dataset();
  if (!made || demo.isLeft) return;
  const { job, isNew } = await demo.job(made.reference);
  demo.tell(`${isNew ? 'Posted' : 'Going on with'} job ${job.job_id}: ${job.trainer_type}, ${job.config_path}`);
  await demo.follow(job.job_id);
  if (demo.isLeft) return;
  await demo.result(job.job_id, made.question).catch((/** @type {unknown} */ error) => {
    if (!demo.isLeft) throw error;
  });
}

await orShowProblem(async () => {
  await checkPortsAreFree(process.env);
  const python = await findPython();
  await prepare({ postgres: true });
  const demo = new Demo(demoEnvironment(python));
  try {
    await run(demo);
    if (process.argv.includes('--exit') || demo.isLeft) return;
    const url = `http://${demo.address}`;
    console.log(`\nCLARA is up: ${url}/docs, ${url}/redoc, metrics on port ${portOf(demo.env, 'CLARA_METRICS_PORT')}`);
    console.log(
      `All jobs: curl ${url}/api/training/jobs/list\nREADME.md goes on from here. Ctrl-C stops the application.`,
    );
    await demo.ended;
  } finally {
    await demo.stop();
  }
});
