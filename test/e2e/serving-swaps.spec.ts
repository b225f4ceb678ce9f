import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseSlug } from '../../src/kernel/base-slug.js';
import type { ChildEngine } from '../../src/adapters/engines/child-engine.js';
import type { CatalogVersion } from '../../src/modules/adapters/adapter-catalog.port.js';
import type { ServingStatusDto } from '../../src/modules/serving/serving.dto.js';
import { killNow } from '../fixtures/processes.js';
import { ServingApp } from '../fixtures/serving-app.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { makeTinyAdapters } from '../fixtures/tiny-adapters.js';
import { root, tinyModel, trainerPython } from '../fixtures/trainer.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(600_000);

const CLIENTS = 50;
const MOVES = 100;
const SLOTS = 2;
const LIMIT_MS = 300_000;
const messages = [{ role: 'user', content: 'Wie lang ist die Frist?' }];

interface Chunk {
  model?: string;
  choices?: { delta?: { content?: string }; finish_reason?: string | null }[];
  error?: { code: string };
}

interface Streamed {
  status: number;
  text: string;
  models: string[];
  error: string | undefined;
  isDone: boolean;
}

const wanted = (model: string, tokens: number): string =>
  JSON.stringify({ model, messages, stream: true, max_tokens: tokens, temperature: 0, ignore_eos: true });

function streamed(status: number, raw: string): Streamed {
  const lines = raw.split('\n').filter((line) => line.startsWith('data: '));
  const chunks = lines.filter((line) => line !== 'data: [DONE]').map((line) => JSON.parse(line.slice(6)) as Chunk);
  return {
    status,
    text: chunks.map(({ choices }) => choices?.[0]?.delta?.content ?? '').join(''),
    models: [...new Set(chunks.flatMap(({ model }) => model ?? []))],
    error: status === 200 ? chunks.find(({ error }) => error)?.error?.code : raw,
    isDone: lines.includes('data: [DONE]'),
  };
}

describe('two adapters of the real embedded engine, through the whole application', () => {
  let databases: TestDatabases;
  let app: ServingApp;
  let folder: string;
  let url: string;
  let versions: readonly [CatalogVersion, CatalogVersion, CatalogVersion];
  const texts = new Map<string, string>();

  beforeAll(async () => {
    const [python, model] = [await trainerPython(), await tinyModel()];
    databases = await TestDatabases.open();
    folder = await mkdtemp(join(tmpdir(), 'clara-swaps-'));
    const adapters = [11, 12, 13].map((seed) => ({ path: join(folder, `adapter-${seed}`), seed, strength: 0.3 }));
    await makeTinyAdapters(model, adapters);
    app = await ServingApp.open(await databases.source(), {
      installed: { python, model, trainer: join(root, 'trainer') },
      env: { CLARA_SERVING_MAX_LORAS: String(SLOTS) },
    });
    url = await app.url();
    const registered: CatalogVersion[] = [];
    for (const { path } of adapters) registered.push(await app.register({ base: baseSlug(model), path, rank: 4 }));
    versions = registered as unknown as typeof versions;
    for (const { modelId } of versions) {
      const answer = await ask(modelId);
      if (answer.error !== undefined) throw new Error(`${modelId} does not answer: ${answer.error}`);
      texts.set(modelId, answer.text);
    }
  });
  afterAll(async () => {
    await app.close();
    await databases.close();
    await rm(folder, { recursive: true });
  });

  const post = (model: string, tokens: number, signal: AbortSignal = AbortSignal.timeout(LIMIT_MS)) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: wanted(model, tokens),
      signal,
    });
  const ask = async (model: string, tokens = 8): Promise<Streamed> => {
    const response = await post(model, tokens);
    return streamed(response.status, await response.text());
  };
  const replica = () => {
    const [only] = app.pool.replicas;
    if (!only) throw new Error('there is no replica');
    return only;
  };
  const held = async (): Promise<string[]> => {
    const { body } = await app.call<ServingStatusDto>('GET', '/api/serving/router/status');
    return (body.replicas[0]?.adapters ?? []).map(({ version_id: id }) => id);
  };
  const rowsOfEngine = async (): Promise<number> => {
    const signal = AbortSignal.timeout(LIMIT_MS);
    const reply = await replica().engine.send({ method: 'GET', path: '/metrics', headers: {}, body: null, signal });
    const text = (await reply.body.toArray()).map((part: Buffer) => part.toString()).join('');
    return Number(/^vllm:num_requests_running\S* (\S+)$/m.exec(text)?.[1]);
  };

  it('answer each in its own words', () => {
    expect(new Set(texts.values()).size).toBe(versions.length);
  });

  it('lose and mix no answer of 50 clients while an alias moves 100 times', async () => {
    const [one, two] = versions;
    const promote = async ({ id }: CatalogVersion): Promise<void> => {
      const { status, body } = await app.call('POST', `/api/adapters/${id}/promote`, { alias: 'champion' });
      expect([status, body['version_id'], body['detail']]).toEqual([200, id, undefined]);
    };
    await promote(one);
    let isOver = false;
    const seen: Streamed[] = [];
    const client = async (): Promise<void> => {
      while (!isOver) seen.push(await ask('champion'));
    };
    const clients = Promise.all(Array.from({ length: CLIENTS }, client));
    try {
      for (let move = 0; move < MOVES; move += 1) {
        const before = seen.length;
        await promote(move % 2 === 0 ? two : one);
        await eventually('an answer after the move', () => seen.length > before);
      }
    } finally {
      isOver = true;
      await clients;
    }
    const wrong = seen.filter(
      ({ status, models: [model = '', ...more], text, isDone, error }) =>
        status !== 200 || more.length > 0 || text !== texts.get(model) || !isDone || error !== undefined,
    );
    expect(wrong).toEqual([]);
    expect(new Set(seen.flatMap(({ models }) => models))).toEqual(new Set([one.modelId, two.modelId]));
    process.stdout.write(`${seen.length} answers over ${MOVES} moves\n`);
  });

  it('share two slots with a third, and every request is answered', async () => {
    const asked = Array.from({ length: 12 }, (_, index) => versions[index % versions.length]?.modelId ?? '');
    let most = 0;
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        most = Math.max(most, (await held()).length);
        await new Promise((later) => setTimeout(later, 20));
      }
    })();
    const answers = await Promise.all(asked.map((model) => ask(model)));
    isOver = true;
    await watching;
    expect(answers.map(({ models, text }) => [models, text])).toEqual(
      asked.map((model) => [[model], texts.get(model)]),
    );
    expect(most).toBeLessThanOrEqual(SLOTS);
  });

  it('stop computing for a client that has gone', async () => {
    const leave = new AbortController();
    const response = await post(versions[0].modelId, 1500, leave.signal);
    await response.body?.getReader().read();
    expect(await rowsOfEngine()).toBe(1);
    leave.abort();
    await eventually('the engine computes no more', async () => (await rowsOfEngine()) === 0);
    await eventually('nothing is counted as running', () => replica().running === 0);
  });

  it('end a stream with an error where the engine is killed, and answer again with what it held', async () => {
    const [version, other] = versions;
    // One of them is the champion: both are wanted more than the third.
    for (const { modelId } of [other, version]) await ask(modelId);
    const engine = replica().engine as ChildEngine;
    const { pid } = engine;
    const response = await post(version.modelId, 1500);
    const reader = response.body?.getReader();
    const parts = [(await reader?.read())?.value];
    const before = await held();
    killNow(pid);
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) parts.push(part.value);
    const broken = streamed(response.status, Buffer.concat(parts.map((part) => part ?? Buffer.alloc(0))).toString());
    expect(broken).toMatchObject({ status: 200, error: 'engine_failed', isDone: false, models: [version.modelId] });
    expect(await ask(version.modelId)).toMatchObject({ status: 200, text: texts.get(version.modelId), isDone: true });
    expect(engine.pid).not.toBe(pid);
    expect((await held()).toSorted()).toEqual(before.toSorted());
  });
});
