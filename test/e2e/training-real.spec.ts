import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobDto } from '../../src/modules/training/job.dto.js';
import { App } from '../fixtures/app.js';
import { Jobs, oneTo } from '../fixtures/jobs.js';
import { isAlive, processesOf } from '../fixtures/processes.js';
import { dialogues, tinyModel } from '../fixtures/trainer.js';

import.meta.jest.setTimeout(400_000);

const LONG_MS = 300_000;
const common = `
model: {base_model: default}
lora: {r: 8, alpha: 16, dropout: 0, target_modules: all-linear}
data: {validation_split: 0.2, max_length: 64}
`;
const training = (change: string): string =>
  `training: {num_epochs: 3, batch_size: 4, gradient_accumulation_steps: 1, learning_rate: 0.02, save_steps: 5${change}}\n`;

const hashOf = async (file: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');

describe('real trainings', () => {
  let app: App;
  let jobs: Jobs;
  let model: string;

  beforeAll(async () => {
    model = await tinyModel();
    app = await App.start({ trainer: 'real', env: { CLARA_BASE_MODEL: model, CLARA_CANCEL_GRACE_SECONDS: '30' } });
    jobs = new Jobs(app);
  }, LONG_MS);
  afterAll(() => app.dispose());

  const post = (trainer_type: string, config = common + training('')) =>
    jobs.post({ trainer_type, config, data: dialogues(40) });

  /** What every completed training shows, whatever its type. */
  async function expectLearned(job: JobDto): Promise<void> {
    const events = await jobs.events(job.job_id);
    expect(events.map(({ number }) => number)).toEqual(oneTo(events.length));
    const steps = events.filter(({ type }) => type === 'progress').map(({ step }) => step);
    expect(steps).toEqual(oneTo(job.total_steps));
    const { eval_loss_before, eval_loss_after } = job.metrics as Record<string, number>;
    expect(eval_loss_after).toBeLessThan(Number(eval_loss_before));
    const files = await readdir(job.adapter_path ?? '');
    expect(files).toEqual(
      expect.arrayContaining([
        'adapter_config.json',
        'adapter_model.safetensors',
        'tokenizer.json',
        'README.md',
        'training_report.json',
      ]),
    );
    await expectCurves(job, eval_loss_after);
  }

  async function expectCurves(job: JobDto, lastLoss: number | undefined): Promise<void> {
    const { body } = await app.call<Record<string, (number | null)[]>>(
      'GET',
      `/api/training/jobs/${job.job_id}/metrics`,
    );
    const lengths = ['steps', 'epochs', 'train_loss', 'val_loss', 'train_accuracy', 'val_accuracy'].map(
      (name) => body[name]?.length,
    );
    expect(new Set(lengths).size).toBe(1);
    expect(body['train_loss']?.filter((loss) => loss !== null)).toHaveLength(job.total_steps);
    expect(body['val_loss']?.findLast((loss) => loss !== null)).toBeCloseTo(Number(lastLoss), 5);
  }

  it('of the types lora, qlora and several processes learn; continuous goes on from the adapter', async () => {
    const before = await hashOf(join(model, 'model.safetensors'));
    const lora = await post('lora');
    const qlora = await post('qlora', `${common}qlora: {quant_type: nf4}\n${training('')}`);
    const several = await post(
      'lora',
      `${common}distributed: {backend: auto}\nhardware: {num_processes: 2}\n${training('')}`,
    );
    const first = await jobs.until(lora, 'completed', LONG_MS);
    const further = await post(
      'continuous',
      common + training(', learning_rate: 0.005').replace('learning_rate: 0.02, ', ''),
    );
    const rest = await Promise.all([qlora, several, further].map((id) => jobs.until(id, 'completed', LONG_MS)));
    for (const job of [first, ...rest]) await expectLearned(job);
    expect(await hashOf(join(model, 'model.safetensors'))).toBe(before);
    await expectStartedAs(several, { world_size: 2 });
    const resolved = (await jobs.events(further)).find(({ type }) => type === 'resolved');
    expect(resolved?.data).toMatchObject({
      from_job: expect.any(String),
      start_from: expect.stringContaining('/models/'),
    });
    const losses = [first, rest[2]].map(
      (job) => (job?.metrics as Record<string, number> | undefined)?.['eval_loss_before'],
    );
    expect(losses[1]).toBeLessThan(Number(losses[0]));
  });

  async function expectStartedAs(id: string, data: Record<string, unknown>): Promise<void> {
    expect((await jobs.events(id)).find(({ type }) => type === 'started')?.data).toMatchObject(data);
  }

  const rankOf = async (id: string, attempt: number): Promise<number> => {
    const record: unknown = JSON.parse(await readFile(join(jobs.runFolder(id, attempt), 'ranks/0.json'), 'utf8'));
    return (record as { pid: number }).pid;
  };

  it('live through the death of PostgreSQL, of the application and of their worker', async () => {
    const long = training(', max_steps: 80').replace(
      'batch_size: 4, gradient_accumulation_steps: 1',
      'batch_size: 8, gradient_accumulation_steps: 4',
    );
    const id = await post('lora', common + long);
    const reached = (step: number) =>
      jobs.when(id, `has reached step ${step}`, (job) => job.current_step >= step, LONG_MS);
    await reached(5);
    const postmaster = await readFile(join(app.data, 'postgres/cluster/postmaster.pid'), 'utf8');
    process.kill(Number(postmaster.split('\n')[0]), 'SIGKILL');
    await reached(15);
    const worker = await rankOf(id, 1);
    await app.kill('SIGKILL');
    expect(isAlive(worker)).toBe(true);
    await app.restart();
    await reached(30);
    expect(await jobs.get(id)).toMatchObject({ attempt: 1, status: 'running' });
    process.kill(worker, 'SIGKILL');
    const job = await jobs.until(id, 'completed', LONG_MS);
    expect(job.attempt).toBe(2);
    const events = await jobs.events(id);
    expect(events.map(({ number }) => number)).toEqual(oneTo(events.length));
    const [, resumed] = events.filter(({ type }) => type === 'started');
    const from = Number(resumed?.data['resumed_step']);
    expect(from).toBeGreaterThan(20);
    const stepsOf = (some: typeof events) => some.filter(({ type }) => type === 'progress').map(({ step }) => step);
    const again = events.findIndex((event) => event === resumed);
    const before = stepsOf(events.slice(0, again));
    // The death may have come right behind a checkpoint: then nothing is trained twice.
    expect(before.length).toBeGreaterThanOrEqual(from);
    expect(before).toEqual(oneTo(before.length));
    expect(stepsOf(events.slice(again))).toEqual(oneTo(80).slice(from));
    expect(events.find(({ type }) => type === 'retrying')?.data).toMatchObject({
      reason: 'killed',
      message: expect.stringContaining('SIGKILL'),
    });
  });

  it('save and end when they are cancelled, several processes too, and nothing of them lives', async () => {
    const config = `${common}hardware: {num_processes: 2}\ndistributed: {backend: gloo}\n${training(', max_steps: 5000')}`;
    const id = await post('lora', config);
    await jobs.when(id, 'trains', (job) => job.current_step >= 2, LONG_MS);
    await app.call('DELETE', `/api/training/jobs/${id}`);
    await jobs.until(id, 'cancelled', LONG_MS);
    expect(await processesOf(join(app.data, 'runs', id))).toEqual([]);
    const events = await jobs.events(id);
    const stopped = events.find(({ type }) => type === 'stopped');
    expect(stopped?.data).toMatchObject({
      reason: 'cancel',
      checkpoint: expect.stringMatching(/^checkpoints\/checkpoint-\d+$/),
    });
  });
});
