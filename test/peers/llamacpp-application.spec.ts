import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI from 'openai';
import type { AdapterDto, AdapterReplyDto } from '../../src/modules/adapters/adapter.dto.js';
import type { ServedAdaptersDto, ServingStatusDto } from '../../src/modules/serving/serving.dto.js';
import { App, type Answer } from '../fixtures/app.js';
import { GEMMA, randomAdapter } from '../fixtures/random-adapter.js';
import { eventually } from '../fixtures/waiting.js';
import { gemmaGguf } from './gemma-gguf.js';
import { temporaryFolder } from './peer-process.js';

const START_MS = 600_000;
const CALL_MS = 300_000;
const BASE = 'gemma-3-270m';

import.meta.jest.setTimeout(CALL_MS);

interface Said {
  text: string;
  models: string[];
  asked: string | null;
}

describe('llama.cpp with Gemma, through the whole application', () => {
  let app: App;
  let openai: OpenAI;
  let folder: string;
  let before: Said;
  let one: AdapterDto;
  let other: AdapterDto;

  const question = (model: string) => ({
    model,
    messages: [{ role: 'user' as const, content: 'Was ist ein Bescheid?' }],
    max_tokens: 6,
    temperature: 0,
  });
  const chat = async (model: string): Promise<Said> => {
    const { data, response } = await openai.chat.completions.create(question(model)).withResponse();
    const text = data.choices[0]?.message.content ?? '';
    return { text, models: [data.model], asked: response.headers.get('x-clara-requested-model') };
  };
  const streamed = async (model: string): Promise<Said> => {
    const asked = openai.chat.completions.create({ ...question(model), stream: true });
    const { data, response } = await asked.withResponse();
    const said: Said = { text: '', models: [], asked: response.headers.get('x-clara-requested-model') };
    for await (const chunk of data) {
      said.text += chunk.choices[0]?.delta.content ?? '';
      said.models.push(chunk.model);
    }
    return { ...said, models: [...new Set(said.models)] };
  };
  const serving = <T>(method: string, path: string, body?: object): Promise<Answer<T>> =>
    app.call<T>(method, path, { port: app.ports.SERVING, ...(body && { body }) });
  const files = async (path: string): Promise<Record<string, Buffer>> =>
    Object.fromEntries(
      await Promise.all((await readdir(path)).map(async (name) => [name, await readFile(join(path, name))] as const)),
    );
  const upload = async (sent: Record<string, Buffer>, base = `google/${BASE}`) => {
    const form = new FormData();
    form.append('base_model', base);
    for (const [name, data] of Object.entries(sent)) form.append('files', new Blob([new Uint8Array(data)]), name);
    const address = `http://127.0.0.1:${app.ports.SERVING}/api/adapters`;
    const response = await fetch(address, { method: 'POST', body: form, signal: AbortSignal.timeout(CALL_MS) });
    return { status: response.status, body: (await response.json()) as AdapterReplyDto & { detail: string } };
  };
  const registered = async (name: string, seed: number): Promise<AdapterDto> => {
    const { status, body } = await upload(await files(await randomAdapter(join(folder, name), GEMMA, seed)));
    expect([status, body.detail]).toEqual([200, undefined]);
    return body.data;
  };
  const connect = (): void => {
    const baseURL = `http://127.0.0.1:${app.ports.SERVING}/v1`;
    openai = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0, timeout: CALL_MS });
  };
  const promote = async ({ id }: AdapterDto): Promise<void> => {
    const promoted = await serving<object>('POST', `/api/adapters/${id}/promote`, { alias: 'champion' });
    expect([promoted.status, promoted.body]).toEqual([200, expect.objectContaining({ version_id: id })]);
  };

  beforeAll(async () => {
    folder = await temporaryFolder('llamacpp-application');
    app = await App.start({
      env: {
        CLARA_SERVING_ENGINE: 'llamacpp',
        CLARA_SERVING_GGUF: await gemmaGguf(),
        CLARA_BASE_MODEL: `google/${BASE}`,
        CLARA_SERVING_MAX_ROWS: '2',
        CLARA_SERVING_CONTEXT: '512',
        // The other core of a small machine is busy with the tests themselves.
        CLARA_SERVING_THREADS: '1',
        CLARA_GATEWAY_WAIT_SECONDS: '300',
      },
    });
    connect();
  }, START_MS);
  afterAll(async () => {
    await app?.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it('lists its base before it runs, and answers with it, streaming and not', async () => {
    expect((await openai.models.list()).data[0]).toMatchObject({ id: BASE, object: 'model', parent: null });
    before = await chat(BASE);
    expect(before).toEqual({ text: expect.stringMatching(/\S/), models: [BASE], asked: BASE });
    expect(await streamed(BASE)).toEqual(before);
    expect(await chat(`google/${BASE}`)).toEqual({ ...before, asked: `google/${BASE}` });
  });

  it('answers otherwise with an adapter that was uploaded, which an alias leads to', async () => {
    one = await registered('one', 1);
    expect(one).toMatchObject({ base: BASE, rank: GEMMA.rank, origin: 'upload' });
    await promote(one);
    const answer = await chat('champion');
    expect(answer).toEqual({ text: expect.any(String), models: [one.model_id], asked: 'champion' });
    expect(answer.text).not.toBe(before.text);
    expect(await streamed('champion')).toEqual(answer);
    expect(await chat(BASE)).toEqual(before);
    const ids = (await openai.models.list()).data.map(({ id }) => id);
    expect(ids).toEqual([BASE, one.model_id, 'champion', 'auto']);
  });

  it('moves on to the next version and back, each with its own answer', async () => {
    const first = await chat('champion');
    other = await registered('other', 2);
    await promote(other);
    const second = await chat('champion');
    expect(second.models).toEqual([other.model_id]);
    expect(second.text).not.toBe(first.text);
    expect((await serving('POST', '/api/adapters/aliases/champion/rollback', {})).status).toBe(200);
    expect(await chat('champion')).toEqual(first);
    expect(await chat(BASE)).toEqual(before);
  });

  it('loads and unloads by hand, never what an alias holds, and answers with its base byte for byte', async () => {
    const loaded = async (): Promise<string[]> => {
      const { body } = await serving<ServedAdaptersDto>('GET', '/api/serving/adapters/list');
      return body.adapters.filter((adapter) => adapter.loaded).map(({ version_id }) => version_id);
    };
    const unload = async ({ name }: AdapterDto): Promise<number> =>
      (await serving('DELETE', `/api/serving/unload_adapter?adapter_id=${name}`)).status;
    expect((await serving('POST', `/api/serving/load_adapter?adapter_id=${other.name}`)).status).toBe(200);
    expect((await loaded()).toSorted()).toEqual([one.id, other.id].toSorted());
    expect([await unload(one), await unload(other)]).toEqual([409, 200]);
    expect(await loaded()).toEqual([one.id]);
    expect(await chat(BASE)).toEqual(before);
  });

  it('takes no adapter that is broken, foreign or none', async () => {
    const good = await files(join(folder, 'one'));
    const cut = { ...good, 'adapter_model.safetensors': good['adapter_model.safetensors']?.subarray(0, 5000) };
    expect(await upload(cut as typeof good)).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('adapter_model.safetensors') },
    });
    const wrong = { ...GEMMA, weights: { 'self_attn.q_proj': [512, 640] as const } };
    expect(await upload(await files(await randomAdapter(join(folder, 'wrong'), wrong, 3)))).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('from 640 to 512, in the base from 640 to 1024') },
    });
    expect(await upload(good, 'meta/llama-9')).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining(BASE) },
    });
    expect(await chat(BASE)).toEqual(before);
  });

  it('leaves an alias where it was when llama.cpp does not take the version', async () => {
    const good = await files(join(folder, 'other'));
    const config = JSON.parse(String(good['adapter_config.json'])) as object;
    const odd = Buffer.from(JSON.stringify({ ...config, alpha_pattern: { '.*q_proj': 3 } }));
    const { status, body } = await upload({ ...good, 'adapter_config.json': odd });
    expect([status, body.detail]).toEqual([200, undefined]);
    const refused = await serving('POST', `/api/adapters/${body.data.id}/promote`, { alias: 'champion' });
    expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('alpha_pattern') } });
    expect((await chat('champion')).models).toEqual([one.model_id]);
  });

  it('generates on the bare paths, from a query', async () => {
    const query = new URLSearchParams({ prompt: 'Die Verwaltung', max_tokens: '3', temperature: '0', route: 'false' });
    const { status, body } = await serving<object>('POST', `/generate?${query.toString()}`);
    expect([status, body]).toEqual([
      200,
      { output: expect.stringMatching(/\S/), adapter_id: null, tokens_generated: 3 },
    ]);
  });

  it('holds its adapter again after the application was started anew', async () => {
    const champion = await chat('champion');
    await app.kill('SIGTERM');
    await app.restart();
    connect();
    expect(await chat(BASE)).toEqual(before);
    await eventually(
      'the adapter is there, though nobody asked for it',
      async () => {
        const { body } = await serving<ServingStatusDto>('GET', '/api/serving/router/status');
        return body.replicas[0]?.adapters.some(({ version_id }) => version_id === one.id);
      },
      CALL_MS,
    );
    expect(await chat('champion')).toEqual(champion);
  });
});
