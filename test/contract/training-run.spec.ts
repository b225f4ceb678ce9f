import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { JobSnapshot } from '../../src/modules/training/job-events.port.js';
import { buildRun } from '../../src/modules/training/run-builder.js';
import type { RunFile, WorkerEvent } from '../../src/modules/training/run-contract.generated.js';
import { foldReports } from '../../src/modules/training/worker-reports.js';
import { anyConfig, anyJob } from '../fixtures/runs.js';
import { root } from '../fixtures/trainer.js';

const fixtures = join(root, 'test/contract/fixtures');
const contract = join(root, 'trainer/src/clara_trainer/contract');
const facts = { defaultModel: '/models/default', startFrom: null, resumeFrom: null, orphanSeconds: undefined };

const json = async <T>(path: string): Promise<T> => JSON.parse(await readFile(path, 'utf8')) as T;
const eventsOf = async (name: string): Promise<WorkerEvent[]> =>
  (await readFile(join(fixtures, `${name}.events.jsonl`), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as WorkerEvent);

const idle: JobSnapshot = {
  status: 'running',
  paused: false,
  progress_percent: 0,
  current_epoch: 0,
  total_epochs: 0,
  current_step: 0,
  total_steps: 0,
  seconds_left: null,
  metrics: null,
};

/** The same files are read by trainer/tests/test_contract_fixtures.py. */
describe('the contract of the run folder', () => {
  let event: ValidateFunction;
  let run: ValidateFunction;

  beforeAll(async () => {
    const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true, discriminator: false });
    event = ajv.compile(await json(join(contract, 'event.schema.json')));
    run = ajv.compile(await json(join(contract, 'run.schema.json')));
  });

  const complaints = (validate: ValidateFunction, value: unknown): string[] =>
    validate(value) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);

  describe('events.jsonl', () => {
    it.each(['finished', 'dpo', 'stopped', 'failed'])('%s fits the schema, line by line', async (name) => {
      for (const line of await eventsOf(name)) expect(complaints(event, line)).toEqual([]);
    });

    it('shows every type of event, every phase and every moment of an evaluation', async () => {
      const schema = await json<{ $defs: Record<string, { properties: { type: { const?: string } } }> }>(
        join(contract, 'event.schema.json'),
      );
      const types = Object.values(schema.$defs).flatMap(({ properties }) => properties?.type?.const ?? []);
      const shown = (await Promise.all(['finished', 'stopped', 'failed'].map(eventsOf))).flat();
      expect(new Set(shown.map(({ type }) => type))).toEqual(new Set(types));
      expect(types).toHaveLength(8);
    });

    it('folds into the state that the API shows', async () => {
      const { state, events } = foldReports(idle, await eventsOf('finished'));
      expect(state).toMatchObject({
        current_step: 4,
        total_steps: 4,
        total_epochs: 2,
        progress_percent: 99.9,
        seconds_left: 0,
        metrics: {
          final_loss: 0.9,
          perplexity: 3,
          accuracy: 0.8,
          epochs_completed: 2,
          eval_loss_before: 3.2,
          eval_loss_after: 1.1,
        },
      });
      expect(events).toHaveLength(17);
      expect(events[8]?.job).toMatchObject({
        current_step: 2,
        progress_percent: 50,
        seconds_left: null,
        metrics: { loss: null },
      });
    });

    it('shows the rewards of preferences', async () => {
      const reports = await eventsOf('dpo');
      const at = reports.findIndex(({ type }) => type === 'progress');
      expect(foldReports(idle, reports.slice(0, at + 1)).state.metrics).toMatchObject({ reward_margin: 0.8 });
      expect(foldReports(idle, reports).state.metrics).toMatchObject({
        method: 'dpo',
        beta: 0.2,
        reward_margin_before: 0,
        reward_margin_after: 0.8,
        reward_accuracy_after: 0.9,
      });
    });

    it('folds what ends early', async () => {
      expect(foldReports(idle, await eventsOf('stopped')).state).toMatchObject({
        current_step: 3,
        progress_percent: 75,
      });
      const { state, events } = foldReports(idle, await eventsOf('failed'));
      expect(state).toEqual(idle);
      expect(events.at(-1)).toMatchObject({ type: 'worker_failed', data: { code: 'invalid_data' } });
    });

    it('refuses what no worker may write', async () => {
      const [, , , , , , started, progress] = await eventsOf('finished');
      const wrong: unknown[] = [
        { ...started, type: 'begun' },
        { ...started, n: 0 },
        { ...progress, step: null },
        { ...progress, time: 'now' },
        { ...progress, data: { ...progress?.data, loss: 'NaN' } },
        { ...progress, data: { ...progress?.data, surprise: 1 } },
      ];
      for (const value of wrong) expect(complaints(event, value)).not.toEqual([]);
    });
  });

  describe('run.json', () => {
    it('fits the schema in every example', async () => {
      const names = (await readdir(fixtures)).filter((name) => name.endsWith('.run.json'));
      expect(names.length).toBeGreaterThan(1);
      for (const name of names) expect(complaints(run, await json(join(fixtures, name)))).toEqual([]);
    });

    it('fits the schema as the application builds it, for each type', () => {
      const quantization: RunFile['quantization'] = { bits: 8, type: 'int8', double: false, compute_dtype: 'auto' };
      const built = [
        buildRun(anyJob(), anyConfig(), facts),
        buildRun(anyJob({ method: 'dpo' }), anyConfig({ method: 'dpo' }), facts),
        buildRun(anyJob({ trainer_type: 'qlora', batch_halvings: 2 }), anyConfig({ quantization }), facts),
        buildRun(anyJob({ trainer_type: 'continuous', gpu_indices: [0, 1] }), anyConfig(), {
          ...facts,
          startFrom: '/models/a',
          resumeFrom: '/runs/job/1/checkpoints/checkpoint-5',
          orphanSeconds: 30,
        }),
      ];
      for (const file of built) expect(complaints(run, file)).toEqual([]);
    });

    it('refuses what the trainer could not run', async () => {
      const good = await json<RunFile>(join(fixtures, 'lora.run.json'));
      const wrong: unknown[] = [
        { ...good, version: 2 },
        { ...good, method: 'kto' },
        { ...good, training: { ...good.training, beta: 0 } },
        { ...good, surprise: 1 },
        { ...good, data: { ...good.data, train: [] } },
        { ...good, training: { ...good.training, batch_size: 0 } },
        { ...good, resume_from: 'relative/checkpoint' },
      ];
      for (const value of wrong) expect(complaints(run, value)).not.toEqual([]);
    });
  });
});
