import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobDto } from '../../src/modules/training/job.dto.js';
import { App } from '../fixtures/app.js';
import { Jobs, type Post } from '../fixtures/jobs.js';
import { smallDisk } from '../fixtures/small-disk.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { dialogues, tinyModel } from '../fixtures/trainer.js';

import.meta.jest.setTimeout(400_000);

const LONG_MS = 300_000;
const config = 'training: {num_epochs: 1, batch_size: 4, gradient_accumulation_steps: 1}\ndata: {max_length: 64}\n';

describe('a real training in trouble', () => {
  let app: App;
  let jobs: Jobs;

  beforeAll(async () => {
    app = await App.start({
      trainer: 'real',
      env: { CLARA_BASE_MODEL: await tinyModel(), CLARA_RETRY_DELAY_SECONDS: '0' },
    });
    jobs = new Jobs(app);
  }, LONG_MS);
  afterAll(() => app.dispose());

  /** The words in which a job ends, refused at once or failed later. */
  const complaint = async (post: Post): Promise<string> => {
    const posted = await app.call('POST', '/api/training/jobs', { body: await jobs.request(post) });
    if (posted.status === 422) return JSON.stringify(posted.body);
    const job = await jobs.when(
      String(posted.body['job_id']),
      'has failed',
      ({ status }) => status === 'failed',
      LONG_MS,
    );
    expect(job.attempt).toBe(1);
    return String(job.error_message);
  };

  it('names the one bad line of a data file', async () => {
    const lines = dialogues(12).split('\n');
    lines[6] = '{"messages": [{"role": "user", "content": "Was';
    expect(await complaint({ config, data: lines.join('\n') })).toMatch(/line 7\b/i);
  });

  it('says what is wrong with data that is no training data, or empty', async () => {
    const [strange, empty] = await Promise.all([
      complaint({ config, data: '{"colour": "blue"}\n{"colour": "red"}' }),
      complaint({ config, data: '   ' }),
    ]);
    expect(strange).toMatch(/colour/);
    expect(empty).toMatch(/\.jsonl/);
  });

  it('says which model is missing', async () => {
    const absent = `model: {base_model: ${join(app.folder, 'models/absent')}}\n`;
    expect(await complaint({ config: absent + config, data: dialogues(12) })).toContain('models/absent');
    const broken = join(app.folder, 'models/broken');
    await mkdir(broken);
    await writeFile(join(broken, 'config.json'), '{"model_type": "llama"}');
    await writeFile(join(broken, 'model.safetensors'), 'not a tensor');
    expect(await complaint({ config: `model: {base_model: ${broken}}\n${config}`, data: dialogues(12) })).toContain(
      'models/broken',
    );
  });
});

describe('a disk that is full', () => {
  let databases: TestDatabases;
  let folder: string;
  let app: App;
  let jobs: Jobs;
  let kind: string;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    folder = await mkdtemp(join(tmpdir(), 'clara-full-'));
    const small = await smallDisk(folder);
    kind = small.kind;
    const { host, port, user, password, database } = await databases.create();
    app = await App.start({
      trainer: 'real',
      wrapper: small.wrapper,
      env: {
        CLARA_DATA_DIR: join(folder, 'data'),
        CLARA_BASE_MODEL: await tinyModel(),
        UDS3_POSTGRES_HOST: host,
        UDS3_POSTGRES_PORT: String(port),
        UDS3_POSTGRES_USER: user,
        UDS3_POSTGRES_PASSWORD: password,
        UDS3_POSTGRES_DATABASE: database,
        CLARA_MIN_FREE_DISK_MB: '1024',
      },
    });
    jobs = new Jobs(app);
  }, LONG_MS);
  afterAll(async () => {
    await app.dispose();
    await databases.close();
    await rm(folder, { recursive: true, force: true });
  });

  const big: Post = {
    config:
      'lora: {r: 128, alpha: 128, target_modules: all-linear}\ntraining: {num_epochs: 2, batch_size: 4, save_steps: 1, gradient_accumulation_steps: 1, save_total_limit: null}\n',
    data: dialogues(20),
  };

  it('keeps jobs waiting, and says so', async () => {
    if (kind !== 'tmpfs') return;
    const id = await jobs.post(big);
    await jobs.when(id, 'waits for the disk', (job: JobDto) => job.waiting_for === 'disk');
    await app.call('DELETE', `/api/training/jobs/${id}`);
  });

  it('in the middle of a training ends it in a clear error, and the application lives on', async () => {
    await app.kill('SIGTERM');
    await app.restart({ CLARA_MIN_FREE_DISK_MB: '0' });
    const id = await jobs.post(big);
    const job = await jobs.when(id, 'has failed', ({ status }) => status === 'failed', LONG_MS);
    expect(job.error_message).toMatch(/disk is full|size limit|No space left|File too large/);
    expect((await app.call('GET', '/health')).status).toBe(200);
    expect((await jobs.events(id)).at(-1)?.type).toBe('failed');
  });
});

describe('a time limit', () => {
  it('ends the training, keeps its checkpoint and says how to go on', async () => {
    const app = await App.start({ env: { CLARA_JOB_TIMEOUT_MINUTES: '0.05' } });
    const jobs = new Jobs(app);
    const id = await jobs.post({ data: { steps: 10_000, save_steps: 5 } });
    const job = await jobs.when(id, 'has failed', ({ status }) => status === 'failed');
    expect(job.error_message).toContain('CLARA_JOB_TIMEOUT_MINUTES');
    const events = await jobs.events(id);
    expect(events.find(({ type }) => type === 'stopped')?.data).toMatchObject({
      reason: 'time_limit',
      checkpoint: expect.any(String),
    });
    await app.dispose();
  });
});
