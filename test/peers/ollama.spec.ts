import type { AddressInfo } from 'node:net';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { shippedTemplate } from '../../src/adapters/engines/adapter-folder.js';
import { OllamaEngine } from '../../src/adapters/engines/ollama-engine.js';
import { ollamaName } from '../../src/adapters/engines/ollama-names.js';
import { SystemClock } from '../../src/kernel/clock.js';
import { differ, firstToken } from '../../src/modules/serving/load-probe.js';
import { GEMMA, randomAdapter } from '../fixtures/random-adapter.js';
import { ServingApp } from '../fixtures/serving-app.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { makeTinyAdapters } from '../fixtures/tiny-adapters.js';
import { root, tinyModel } from '../fixtures/trainer.js';
import { eventually } from '../fixtures/waiting.js';
import { gemmaGguf } from './gemma-gguf.js';
import { ollamaProgram } from './ollama-build.js';
import { defaultBase, greedyAnswer, guarded, mergedGguf, Ollama } from './ollama.js';
import { temporaryFolder } from './peer-process.js';

const BUILD_MS = 3_000_000;
const START_MS = 1_500_000;
const LIMIT_MS = 400_000;
const BASE = 'amt/base:1b';
const GEMMA_BASE = 'gemma3:270m';
const KEY = 'only-for-tests';
const PROMPT = 'Die Frist für den Widerspruch beträgt';
const VERSION = '0f3a7c1e-5b6d-4e8f-9a0b-1c2d3e4f5a6b';

interface Answer {
  model: string;
  usage: { prompt_tokens: number };
  choices: {
    text?: string;
    message?: { content: string };
    delta?: { content?: string };
    finish_reason: string | null;
  }[];
}

const limit = (): AbortSignal => AbortSignal.timeout(LIMIT_MS);

describe('a real Ollama', () => {
  let folder: string;
  let source: string;
  let adapter: string;
  let ollama: Ollama;
  let engine: OllamaEngine;
  const name = ollamaName(VERSION);

  const engineOf = (change: { model?: string; key?: string; url?: string } = {}): OllamaEngine => {
    const known = { trainedOn: undefined, cache: join(folder, 'cache'), trainer: join(root, 'trainer') };
    const options = { id: 'ollama', url: ollama.url, key: undefined, model: BASE, ...known, ...change };
    return new OllamaEngine(options, { clock: new SystemClock() });
  };
  const send = async (path: string, body: object): Promise<string> => {
    const reply = await engine.send({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ temperature: 0, seed: 1, max_tokens: 12, ...body })),
      signal: limit(),
    });
    const text = Buffer.concat((await reply.body.toArray()) as Buffer[]).toString();
    if (reply.status !== 200) throw new Error(`${reply.status}: ${text}`);
    return text;
  };
  const completed = async (model: string): Promise<string> =>
    (JSON.parse(await send('/v1/completions', { model, prompt: PROMPT })) as Answer).choices[0]?.text ?? '';
  const served = async (): Promise<(string | null)[][]> =>
    (await engine.served(limit())).map(({ engineName, parent }) => [engineName, parent]);
  const messages = [{ role: 'user', content: 'Welche Frist gilt?' }];

  beforeAll(async () => {
    await ollamaProgram();
  }, BUILD_MS);
  beforeAll(async () => {
    folder = await temporaryFolder('ollama');
    source = await defaultBase();
    const [bare, strong] = [join(folder, 'bare'), join(folder, 'strong')];
    await makeTinyAdapters(source, [
      { path: bare, seed: 1, strength: 0 },
      { path: strong, seed: 2, strength: 0.1 },
      // The application of the tests has no shipped template beside it.
      { path: join(folder, 'own'), seed: 3, strength: 0.1 },
    ]);
    adapter = strong;
    await copyFile(shippedTemplate(join(root, 'trainer')), join(strong, 'chat_template.jinja'));
    ollama = await Ollama.start(folder);
    await ollama.give(BASE, await mergedGguf(source, bare, join(folder, 'base')));
    engine = engineOf();
    await engine.wake(limit());
  }, START_MS);
  afterAll(async () => {
    await engine?.close();
    await ollama?.stop();
    await rm(folder, { recursive: true, force: true });
  }, LIMIT_MS);

  it(
    'answers with its base, and otherwise with an adapter; without it byte for byte as before',
    async () => {
      const [before, probe] = [await completed(BASE), await firstToken(engine, BASE)];
      expect(before).toMatch(/\p{L}{3}/u);
      await engine.load({ engineName: name, path: adapter, rank: 4 }, limit());
      expect(await served()).toEqual([
        [BASE, null],
        [name, BASE],
      ]);
      expect(differ(probe, await firstToken(engine, name))).toBe(true);
      expect(differ(probe, await firstToken(engine, BASE))).toBe(false);
      expect(await completed(name)).not.toBe(before);
      expect(await completed(BASE)).toBe(before);
      await engine.unload(name, limit());
      expect([await served(), await completed(BASE)]).toEqual([[[BASE, null]], before]);
      await expect(completed(name)).rejects.toThrow('404');
      expect(await ollama.running()).toEqual([BASE]);
    },
    LIMIT_MS,
  );

  it(
    'finds an adapter out that changes nothing',
    async () => {
      const idle = ollamaName(VERSION.replace(/.$/, 'c'));
      await engine.load({ engineName: idle, path: join(folder, 'bare'), rank: 4 }, limit());
      const base = await firstToken(engine, BASE);
      expect(Object.keys(base)).toHaveLength(5);
      expect(differ(base, await firstToken(engine, idle))).toBe(false);
      expect(differ(base, await firstToken(engine, idle))).toBe(false);
      await engine.unload(idle, limit());
    },
    LIMIT_MS,
  );

  it(
    'tells the chances of a token that is no whole letter',
    async () => {
      const random = await tinyModel();
      const none = join(folder, 'none');
      await makeTinyAdapters(random, [{ path: none, seed: 1, strength: 0 }]);
      await ollama.give('random', await mergedGguf(random, none, join(folder, 'random')));
      expect(Object.keys(await firstToken(engine, 'random')).length).toBeGreaterThan(1);
      await engine.unload('random', limit());
    },
    LIMIT_MS,
  );

  it(
    'asks as the adapter was trained, and goes on with a text as it stands',
    async () => {
      await engine.load({ engineName: name, path: adapter, rank: 4 }, limit());
      const chat = JSON.parse(await send('/v1/chat/completions', { model: name, messages })) as Answer;
      const prompt = '<s>### User:\nWelche Frist gilt?\n\n### Assistant:\n';
      const whole = JSON.parse(await send('/v1/completions', { model: name, prompt })) as Answer;
      expect(whole.usage.prompt_tokens).toBe(chat.usage.prompt_tokens);
      expect(whole.choices[0]).toMatchObject({ text: chat.choices[0]?.message?.content, finish_reason: 'length' });
      const events = (await send('/v1/completions', { model: name, prompt, stream: true })).trim().split('\n\n');
      expect(events.at(-1)).toBe('data: [DONE]');
      const parts = events.slice(0, -1).map((event) => JSON.parse(event.slice('data: '.length)) as Answer);
      expect(parts.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe(whole.choices[0]?.text);
      await engine.unload(name, limit());
    },
    LIMIT_MS,
  );

  it(
    'makes a model of an exported folder, which answers as transformers does',
    async () => {
      await mergedGguf(source, adapter, join(folder, 'export'));
      await ollama.build('exported', join(folder, 'export'));
      const wanted = await greedyAnswer(source, adapter, { messages, tokens: 8 });
      const given = { model: 'exported', messages, max_tokens: 8 };
      const answer = JSON.parse(await send('/v1/chat/completions', given)) as Answer;
      expect(answer.usage.prompt_tokens).toBe(wanted.prompt);
      expect(wanted.text).toMatch(/\p{L}{3}/u);
      expect(answer.choices[0]?.message?.content).toBe(wanted.text);
      await engine.unload('exported', limit());
    },
    LIMIT_MS,
  );

  it(
    'streams what it answers in one piece, and answers in JSON of a schema',
    async () => {
      await engine.load({ engineName: name, path: adapter, rank: 4 }, limit());
      const whole = JSON.parse(await send('/v1/chat/completions', { model: name, messages })) as Answer;
      const events = (await send('/v1/chat/completions', { model: name, messages, stream: true })).trim().split('\n\n');
      expect(events.at(-1)).toBe('data: [DONE]');
      const parts = events.slice(0, -1).map((event) => JSON.parse(event.slice('data: '.length)) as Answer);
      expect(parts.length).toBeGreaterThan(2);
      expect(new Set(parts.map(({ model }) => model))).toEqual(new Set([name]));
      const streamed = parts.flatMap(({ choices }) => choices.map(({ delta }) => delta?.content ?? '')).join('');
      expect(streamed).toBe(whole.choices[0]?.message?.content);
      const schema = { type: 'object', properties: { frist: { enum: ['ein Monat'] } }, required: ['frist'] };
      const asked = { type: 'json_schema', json_schema: { name: 'frist', schema } };
      const answer = await send('/v1/chat/completions', {
        model: name,
        messages,
        response_format: asked,
        max_tokens: 60,
      });
      const { choices } = JSON.parse(answer) as Answer;
      expect(JSON.parse(choices[0]?.message?.content ?? '')).toEqual({ frist: 'ein Monat' });
      await engine.unload(name, limit());
    },
    LIMIT_MS,
  );

  it(
    'whose base takes no adapters says so, and keeps nothing of ours',
    async () => {
      await ollama.give(GEMMA_BASE, await gemmaGguf());
      const gemma = engineOf({ model: GEMMA_BASE });
      try {
        await gemma.wake(limit());
        expect(Object.keys(await firstToken(gemma, GEMMA_BASE)).length).toBeGreaterThan(1);
        const path = await randomAdapter(join(folder, 'gemma-adapter'), GEMMA, 1);
        await expect(gemma.load({ engineName: name, path, rank: GEMMA.rank }, limit())).rejects.toThrow(
          /Ollama took the adapter and does not answer with it\. .*lora/,
        );
        expect(await ollama.models()).toEqual([BASE, GEMMA_BASE]);
      } finally {
        await gemma.close();
      }
    },
    LIMIT_MS,
  );

  it(
    'behind a guard is given the key, and not asked in vain without',
    async () => {
      const server = await guarded(ollama.url, KEY);
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const [with_, without] = [engineOf({ url, key: KEY }), engineOf({ url })];
      try {
        await with_.wake(limit());
        await with_.load({ engineName: name, path: adapter, rank: 4 }, limit());
        expect(await ollama.models()).toContain(`${name}:latest`);
        await with_.unload(name, limit());
        await expect(without.wake(limit())).rejects.toThrow('CLARA_SERVING_API_KEY');
      } finally {
        await Promise.all([with_.close(), without.close()]);
        server.closeAllConnections();
        server.close();
      }
    },
    LIMIT_MS,
  );

  it(
    'serves an adapter of the application, and loses it when that is unloaded',
    async () => {
      const databases = await TestDatabases.open();
      const env = { CLARA_SERVING_ENGINE: 'ollama', CLARA_SERVING_URLS: ollama.url, CLARA_OLLAMA_MODEL: BASE };
      const app = await ServingApp.open(await databases.source(), { env: { ...env, CLARA_CACHE_DIR: 'cache' } });
      try {
        const version = await app.register({ path: join(folder, 'own'), rank: 4 });
        const [base, adapted] = [await app.ask('base'), await app.ask(version)];
        const textOf = ({ text }: { text: string }) => (JSON.parse(text) as Answer).choices[0]?.message?.content;
        expect(adapted.model).toBe(ollamaName(version.id));
        expect(textOf(adapted)).not.toBe(textOf(base));
        expect(textOf(await app.ask('base'))).toBe(textOf(base));
        const path = `/api/serving/unload_adapter?adapter_id=${version.name}&force=true`;
        expect((await app.call('DELETE', path)).status).toBe(200);
        await eventually(
          'the model is gone',
          async () => !(await ollama.models()).some((each) => each.startsWith('clara-')),
          LIMIT_MS,
        );
      } finally {
        await app.close();
        await databases.close();
      }
    },
    LIMIT_MS,
  );
});
