import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { App } from '../fixtures/app.js';
import { Jobs } from '../fixtures/jobs.js';
import { lawOf, Library } from '../fixtures/library.js';
import { tinyModel } from '../fixtures/trainer.js';

import.meta.jest.setTimeout(400_000);

const LONG_MS = 300_000;
const config = `
model: {base_model: default}
lora: {r: 8, alpha: 16, dropout: 0, target_modules: all-linear}
data: {max_length: 96}
training: {num_epochs: 2, batch_size: 8, gradient_accumulation_steps: 1, learning_rate: 0.02, save_steps: 50}
`;
const names = ['Bauprüfgesetz', 'Wasserordnung', 'Schulgesetz', 'Gewerbegesetz', 'Straßengesetz', 'Denkmalgesetz'];

describe('from documents to an adapter', () => {
  let app: App;
  let library: Library;
  let jobs: Jobs;

  beforeAll(async () => {
    app = await App.start({ trainer: 'real', env: { CLARA_BASE_MODEL: await tinyModel() } });
    library = new Library(app);
    jobs = new Jobs(app);
  }, LONG_MS);
  afterAll(() => app.dispose());

  const post = async (dataset_path: string) => {
    const request = await jobs.request({ config });
    return app.call<{ job_id: string; detail: string; data: Record<string, unknown> }>('POST', '/api/training/jobs', {
      body: { ...request, dataset_path },
    });
  };

  it('uploads, searches, makes a dataset and trains on it: the loss on its held-out rows falls', async () => {
    const laws = names.map((name, at) => [`${name}.md`, lawOf(name, `${name.slice(0, 4)}G`, { from: at * 8 })]);
    await library.upload(Object.fromEntries(laws) as Record<string, string>);
    const found = await library.call<{ results: unknown[] }>('POST', '/search', {
      query_text: 'Behörde Bescheid Frist',
    });
    expect(found.body.results.length).toBeGreaterThan(0);
    const set = await library.make({
      name: 'Fristen der Behörden',
      search_query: {
        query_text: 'Behörde Bescheid Frist',
        top_k: 200,
        min_quality_score: 0.2,
        search_types: ['keyword'],
      },
      row_form: 'questions',
      split: { validation: 0.2, test: 0.1 },
    });
    const { splits } = set.metadata['statistics'] as { splits: Record<string, number> };
    expect(set.status).toBe('completed');
    expect(splits['validation']).toBeGreaterThan(0);

    const reference = `dataset:${set.dataset_id}@${set.version}`;
    const posted = await post(reference);
    expect([posted.status, posted.body.data['dataset_path']]).toEqual([200, reference]);
    const job = await jobs.until(posted.body.job_id, 'completed', LONG_MS);
    const { eval_loss_before, eval_loss_after } = job.metrics as Record<string, number>;
    expect(eval_loss_after).toBeLessThan(Number(eval_loss_before) - 0.1);
    await expectHeldOut(job.job_id, set.dataset_id, set.content_hash);
  });

  /** The run was given the files of the version, and the job and its events say which. */
  async function expectHeldOut(jobId: string, datasetId: string, contentHash: string | null): Promise<void> {
    const run = await readFile(join(jobs.runFolder(jobId), 'run.json'), 'utf8');
    const folder = join('datasets', datasetId, 'v1');
    expect(run).toContain(join(folder, 'train.jsonl'));
    expect(run).toContain(join(folder, 'validation.jsonl'));
    const created = (await jobs.events(jobId)).find(({ type }) => type === 'created');
    const train = await readFile(join(app.data, folder, 'train.jsonl'));
    expect(created?.data['dataset']).toEqual({
      reference: `dataset:${datasetId}@1`,
      content_hash: contentHash,
      sha256: createHash('sha256').update(train).digest('hex'),
    });
  }

  it('refuses a set that is not there, has no such version, or failed, with 422 and the reason', async () => {
    const failed = await library.make({
      search_query: { query_text: 'Quantenchromodynamik', search_types: ['keyword'] },
    });
    const good = await library.make({
      rows: [{ text: 'Die Behörde entscheidet über den Antrag innerhalb eines Monats.' }],
    });
    for (const [reference, reason] of [
      ['dataset:b5f7a3f0-1111-4222-8333-444455556666@1', /there is no dataset/],
      [`dataset:${failed.dataset_id}@1`, /failed: the search .* found nothing/],
      [`dataset:${good.dataset_id}@7`, /has no version 7/],
      ['dataset:nonsense', /is no reference/],
    ] as const) {
      const { status, body } = await post(reference);
      expect([reference, status, body.detail]).toEqual([reference, 422, expect.stringMatching(reason)]);
    }
  });
});
