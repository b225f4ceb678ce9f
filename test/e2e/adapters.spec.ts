import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type {
  AdapterDto,
  AdapterListDto,
  AdapterReplyDto,
  CompareDto,
  DeploymentDto,
} from '../../src/modules/adapters/adapter.dto.js';
import type { AdapterExportDto } from '../../src/modules/adapters/export.dto.js';
import { loraFiles } from '../fixtures/adapters.js';
import { App, type Answer } from '../fixtures/app.js';
import { Jobs } from '../fixtures/jobs.js';
import { dialogues, root, tinyModel, trainerPython } from '../fixtures/trainer.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(400_000);

const LONG_MS = 300_000;
const run = promisify(execFile);
const config = `
name: vergabe
model: {base_model: default}
lora: {r: 8, alpha: 16, dropout: 0, target_modules: all-linear}
training: {num_epochs: 3, batch_size: 4, gradient_accumulation_steps: 1, learning_rate: 0.02, save_steps: 50}
data: {validation_split: 0.2, max_length: 64}
`;

interface Problem {
  detail: string;
}

describe('adapters', () => {
  let app: App;
  let jobs: Jobs;
  let model: string;
  let adapter: AdapterDto;
  let jobId: string;

  beforeAll(async () => {
    model = await tinyModel();
    app = await App.start({
      trainer: 'real',
      env: { CLARA_BASE_MODEL: model, CLARA_ADAPTER_MAX_UPLOAD_MB: '4' },
    });
    jobs = new Jobs(app);
    jobId = await jobs.post({ trainer_type: 'lora', config, data: dialogues(40) });
    await jobs.until(jobId, 'completed', LONG_MS);
    const { body } = await app.call<{ adapters: AdapterDto[] }>('GET', '/api/adapters');
    [adapter] = body.adapters as [AdapterDto];
  }, LONG_MS);
  afterAll(() => app.dispose());

  const get = async <T>(path: string): Promise<Answer<T>> => app.call<T>('GET', `/api/adapters${path}`);

  const upload = async (
    files: Record<string, Buffer | string>,
    fields: Record<string, string> = {},
  ): Promise<Answer<AdapterReplyDto & Problem>> => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    for (const [name, data] of Object.entries(files))
      form.append('files', new Blob([new Uint8Array(Buffer.from(data))]), name);
    const response = await fetch(`http://127.0.0.1:${app.ports.SERVING}/api/adapters`, { method: 'POST', body: form });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as AdapterReplyDto & Problem,
    };
  };

  /** The files of a tar answer, unpacked. */
  const unpacked = async (path: string, folder: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${app.ports.SERVING}${path}`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-tar']);
    await mkdir(folder, { recursive: true });
    const child = run('tar', ['-x', '-C', folder]);
    child.child.stdin?.end(Buffer.from(await response.arrayBuffer()));
    await child;
    const [top = ''] = await readdir(folder);
    return join(folder, top);
  };

  const answers = async (...places: string[]): Promise<{ without: string; with: string | null }> => {
    const prompt = ['--prompt', 'Wie lang ist die Frist?', '--max-new-tokens', '24'];
    const { stdout } = await run(await trainerPython(), ['-m', 'clara_trainer.generate', ...places, ...prompt], {
      env: { ...process.env, PYTHONPATH: join(root, 'trainer/src'), HF_HUB_OFFLINE: '1' },
    });
    return JSON.parse(stdout) as { without: string; with: string | null };
  };

  const exported = async (format: string): Promise<AdapterExportDto> => {
    const { body } = await app.call<AdapterExportDto>('POST', `/api/adapters/${adapter.name}/exports`, {
      body: { format },
    });
    return eventually(
      'the export has ended',
      async () => {
        const { body: now } = await get<AdapterExportDto>(`/${adapter.id}/exports/${body.id}`);
        return ['completed', 'failed', 'cancelled'].includes(now.state) && now;
      },
      LONG_MS,
    );
  };

  it('are registered by the job that made them', async () => {
    expect(adapter).toMatchObject({
      name: 'vergabe-lora-r8-v1',
      job_id: jobId,
      method: 'lora',
      rank: 8,
      state: 'active',
      origin: 'training',
      base_model: model,
      aliases: [],
    });
    expect(adapter.model_id).toBe(`ft:${adapter.base}:clara:vergabe:${adapter.id.replaceAll('-', '').slice(0, 12)}`);
    expect(adapter.metrics['loss_after']).toBeLessThan(Number(adapter.metrics['loss_before']));
    for (const reference of [adapter.id, adapter.name, encodeURIComponent(adapter.model_id)])
      expect((await get<AdapterReplyDto>(`/${reference}`)).body.data.id).toBe(adapter.id);
    expect((await get(`/nothing`)).status).toBe(404);
    const ofJob = await get<AdapterListDto>(`?job_id=${jobId}`);
    expect(ofJob.body.adapters.map(({ id }) => id)).toEqual([adapter.id]);
    expect((await get<AdapterListDto>(`?job_id=${adapter.id}`)).body.adapters).toEqual([]);
    for (const wrong of ['', '7', `${jobId}&job_id=${jobId}`]) {
      const refused = await get<Problem>(`?job_id=${wrong}`);
      expect(refused.status).toBe(422);
      expect(refused.body.detail).toContain('must be the id of a training job');
    }
  });

  it('go out as a folder and come back as another version', async () => {
    const folder = await unpacked(`/api/adapters/${adapter.id}/download`, join(app.folder, 'out'));
    const names = await readdir(folder);
    expect(names.toSorted()).toEqual(adapter.files.map(({ name }) => name).toSorted());
    const files = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)),
    );
    const same = await upload(files);
    expect([same.status, same.body.detail]).toEqual([409, expect.stringContaining(adapter.name)]);
    const { status, body } = await upload(
      { ...files, 'README.md': '# von anderswo' },
      { domains: 'Satzung, haushalt' },
    );
    expect([status, body.detail]).toEqual([200, undefined]);
    expect(body.data).toMatchObject({
      name: 'satzung-lora-r8-v1',
      origin: 'upload',
      domains: ['satzung', 'haushalt'],
      base_hash: adapter.base_hash,
    });
    const compared = await get<CompareDto>(`/compare?a=${adapter.name}&b=${body.data.id}`);
    expect(compared.body).toMatchObject({ same_base: true, same_content: false });
    expect(compared.body.metrics.find(({ name }) => name === 'loss_after')?.change).toBe(0);
    expect((await get<{ total_count: number }>('?domain=satzung')).body.total_count).toBe(1);
  });

  it.each([
    ['a pickle', { 'adapter_model.bin': 'x' }, /pickle/],
    ['a way out', { '../../adapter_config.json': '{}' }, /"\.\."/],
    ['an absolute name', { '/tmp/adapter_config.json': '{}' }, /absolute/],
    [
      'weights that are none',
      { ...loraFiles('x'), 'adapter_model.safetensors': 'pickled' },
      /ends within its header|no safetensors/,
    ],
    ['a base that is not here', loraFiles('org/unknown'), /"org\/unknown" is not on this host/],
    ['no weights', { 'adapter_config.json': '{"peft_type": "LORA", "r": 8}' }, /adapter_model.safetensors is missing/],
    ['another kind', loraFiles('x', { config: { peft_type: 'IA3' } }), /only LORA/],
    ['whole layers', loraFiles('x', { config: { modules_to_save: ['lm_head'] } }), /modules_to_save/],
  ])('are refused with %s', async (_, files, why) => {
    const { status, body } = await upload(files);
    expect([status, body.detail]).toEqual([422, expect.stringMatching(why)]);
  });

  it('are refused where their shapes are another base’s, or where they are too large', async () => {
    const shapes = await upload(loraFiles(adapter.base, { side: 999 }));
    expect([shapes.status, shapes.body.detail]).toEqual([422, expect.stringMatching(/made for another base/)]);
    const large = await upload({ ...loraFiles(adapter.base), 'README.md': Buffer.alloc(6 * 1024 * 1024) });
    expect([large.status, large.body.detail]).toEqual([413, expect.stringContaining('CLARA_ADAPTER_MAX_UPLOAD_MB')]);
    const incoming = join(app.data, 'adapters', '.incoming');
    await eventually('nothing of them is left', async () => (await readdir(incoming)).length === 0);
  });

  it('answer alike when merged', async () => {
    const done = await exported('merged');
    expect([done.state, done.error]).toEqual(['completed', null]);
    const merged = await unpacked(done.download_url ?? '', join(app.folder, 'merged'));
    const path = join(app.data, 'models', jobId);
    const [two, one] = [await answers('--model', model, '--adapter', path), await answers('--model', merged)];
    expect(two.with).not.toBe(two.without);
    expect(one.without).toBe(two.with);
    expect((await exported('merged')).id).toBe(done.id);
  });

  it('go out as GGUF with a Modelfile', async () => {
    const done = await exported('gguf');
    expect(done.files.map(({ name }) => name).toSorted()).toEqual(['Modelfile', `${adapter.name}.gguf`]);
    const removed = await app.call('DELETE', `/api/adapters/${adapter.id}/exports/${done.id}`);
    expect(removed.status).toBe(200);
    expect((await get(`/${adapter.id}/exports/${done.id}/download`)).status).toBe(409);
  });

  it('go out with their base as one GGUF', async () => {
    const done = await exported('merged-gguf');
    expect([done.state, done.error]).toEqual(['completed', null]);
    const files = await unpacked(done.download_url ?? '', join(app.folder, 'merged-gguf'));
    expect(await readdir(files)).toEqual(expect.arrayContaining(['chat_template.jinja', 'tokenizer.json']));
    expect(await readFile(join(files, 'Modelfile'), 'utf8')).toContain(`FROM ./${adapter.name}.gguf\n`);
    expect((await readFile(join(files, `${adapter.name}.gguf`))).subarray(0, 4).toString()).toBe('GGUF');
  });

  it('live under aliases, and retire', async () => {
    const body = { version: adapter.name, evidence: { note: 'besser' } };
    const moved = await app.call<DeploymentDto>('PUT', '/api/adapters/aliases/champion', { body });
    expect(moved.body).toMatchObject({
      alias: 'champion',
      version: adapter.name,
      to: null,
      evidence: { note: 'besser' },
    });
    expect((await get<AdapterReplyDto>('/champion')).body.data.aliases).toEqual(['champion']);
    const refused = await app.call<Problem>('DELETE', `/api/adapters/${adapter.id}`);
    expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('champion')]);
    expect((await app.call('DELETE', '/api/adapters/aliases/champion')).status).toBe(200);
    const { body: history } = await get<{ deployments: DeploymentDto[] }>('/history?alias=champion');
    expect(history.deployments).toHaveLength(1);
    expect((await get<{ deployments: DeploymentDto[] }>(`/history?at=2020-01-01T00:00:00Z`)).body.deployments).toEqual(
      [],
    );
    const notes = await app.call<AdapterReplyDto>('PATCH', `/api/adapters/${adapter.id}`, { body: { notes: 'alt' } });
    expect(notes.body.data.notes).toBe('alt');
    expect((await app.call('DELETE', `/api/adapters/${adapter.id}`)).status).toBe(200);
    await eventually('its files are gone', async () => !(await readdir(join(app.data, 'models'))).includes(jobId));
    expect((await get<AdapterReplyDto>(`/${adapter.id}`)).body.data.state).toBe('retired');
  });
});
