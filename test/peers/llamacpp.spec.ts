import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installLlamacpp } from '../../scripts/install-llamacpp.mjs';
import { LlamacppEngine } from '../../src/adapters/engines/llamacpp-engine.js';
import { SystemClock } from '../../src/kernel/clock.js';
import { differ, firstToken } from '../../src/modules/serving/load-probe.js';
import { FakeLog } from '../fixtures/live-feed.js';
import { GEMMA, randomAdapter } from '../fixtures/random-adapter.js';
import { root } from '../fixtures/trainer.js';
import { gemmaGguf } from './gemma-gguf.js';
import { temporaryFolder } from './peer-process.js';

const START_MS = 600_000;
const CALL_MS = 300_000;
const BASE = 'gemma-3-270m';
const PROMPT = 'Die Verwaltung entscheidet über den Antrag nach';

interface Answer {
  model: string;
  choices: { text: string; finish_reason: string }[];
  usage: { prompt_tokens: number; completion_tokens: number };
  error?: { message: string; param: string | null };
}

const limit = (): AbortSignal => AbortSignal.timeout(CALL_MS);

describe('llama.cpp with Gemma', () => {
  let folder: string;
  let engine: LlamacppEngine;
  let before: Answer;

  const send = (body: object, path = '/v1/completions', signal = limit()) =>
    engine.send({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(body)),
      signal,
    });
  const textOf = async (reply: Awaited<ReturnType<typeof send>>): Promise<string> =>
    Buffer.concat(await reply.body.toArray()).toString();
  const asked = async (model: string, more: object = {}): Promise<{ status: number; body: Answer }> => {
    const reply = await send({ model, prompt: PROMPT, max_tokens: 6, temperature: 0, ...more });
    return { status: reply.status, body: JSON.parse(await textOf(reply)) as Answer };
  };
  const load = async (name: string, seed: number): Promise<string> => {
    const path = await randomAdapter(join(folder, name), GEMMA, seed);
    await engine.load({ engineName: name, path, rank: GEMMA.rank }, limit());
    return path;
  };
  const names = async (): Promise<(string | null)[][]> =>
    (await engine.served(limit())).map(({ engineName, parent }) => [engineName, parent]);

  beforeAll(async () => {
    folder = await temporaryFolder('llamacpp');
    const [gguf, library] = [await gemmaGguf(), await installLlamacpp()];
    const options = {
      id: 'llamacpp',
      root,
      gguf,
      base: BASE,
      cache: folder,
      trainer: join(root, 'trainer'),
      maxLoras: 2,
      maxRows: 2,
      contextTokens: 512,
      // The other core of a small machine is busy with the tests themselves.
      threads: 1,
      environment: process.env,
    };
    const around = { log: new FakeLog(), clock: new SystemClock(), startMs: START_MS };
    engine = new LlamacppEngine(options, () => Promise.resolve(library), around);
    await engine.wake(AbortSignal.timeout(START_MS));
    before = (await asked(BASE)).body;
  }, 2 * START_MS);

  afterAll(async () => {
    await engine?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it(
    'answers with its base, again and again the same',
    async () => {
      expect(before).toMatchObject({
        model: BASE,
        choices: [{ text: expect.stringMatching(/\S/), finish_reason: 'length' }],
        usage: { prompt_tokens: expect.any(Number), completion_tokens: 6 },
      });
      expect((await asked(BASE)).body.choices).toEqual(before.choices);
      expect(await names()).toEqual([[BASE, null]]);
    },
    CALL_MS,
  );

  it(
    'answers otherwise with an adapter, and with its base byte for byte as before',
    async () => {
      const probe = await firstToken(engine, BASE);
      await load('ft:a', 1);
      await load('ft:b', 2);
      expect(await names()).toEqual([
        [BASE, null],
        ['ft:a', BASE],
        ['ft:b', BASE],
      ]);
      const [base, one, other] = [await asked(BASE), await asked('ft:a'), await asked('ft:b')];
      expect(base.body.choices).toEqual(before.choices);
      expect(new Set([base, one, other].map(({ body }) => body.choices[0]?.text)).size).toBe(3);
      expect(differ(probe, await firstToken(engine, 'ft:a'))).toBe(true);
      expect(differ(probe, await firstToken(engine, BASE))).toBe(false);
      await expect(load('ft:c', 3)).rejects.toThrow('2 adapters are held already');
    },
    2 * CALL_MS,
  );

  it(
    'answers two at once, each as alone',
    async () => {
      const alone = await asked('ft:a');
      const [base, one] = await Promise.all([asked(BASE), asked('ft:a')]);
      expect([base.body.choices, one.body.choices]).toEqual([before.choices, alone.body.choices]);
    },
    CALL_MS,
  );

  it(
    'streams what it answers in one piece, and stops at a text',
    async () => {
      const whole = before.choices[0]?.text ?? '';
      const streamed = async (more: object) => {
        const body = { model: BASE, prompt: PROMPT, max_tokens: 6, temperature: 0, stream: true, ...more };
        const events = (await textOf(await send(body))).split('\n\n').filter((event) => event !== '');
        expect(events.at(-1)).toBe('data: [DONE]');
        return events.slice(0, -1).map((event) => JSON.parse(event.slice('data: '.length)) as Answer);
      };
      const all = await streamed({ stream_options: { include_usage: true } });
      expect(all.flatMap(({ choices }) => choices.map(({ text }) => text)).join('')).toBe(whole);
      expect(all.length).toBeGreaterThan(3);
      expect(all.at(-1)?.usage.completion_tokens).toBe(6);
      const stop = whole.slice(-3, -1);
      const stopped = await streamed({ stop });
      expect(stopped.flatMap(({ choices }) => choices.map(({ text }) => text)).join('')).toBe(
        whole.slice(0, whole.indexOf(stop)),
      );
      expect(stopped.at(-1)?.choices[0]?.finish_reason).toBe('stop');
    },
    CALL_MS,
  );

  it(
    'ends an answer when its client leaves: two others fit in at once',
    async () => {
      const leaving = [new AbortController(), new AbortController()];
      for (const { signal } of leaving) {
        const endless = { model: BASE, prompt: PROMPT, max_tokens: 400, temperature: 0, stream: true };
        const reply = await send(endless, '/v1/completions', signal);
        reply.body.on('error', () => undefined);
        await reply.body[Symbol.asyncIterator]().next();
      }
      for (const client of leaving) client.abort(new Error('gone'));
      const began = performance.now();
      await Promise.all([asked(BASE), asked(BASE)]);
      const took = performance.now() - began;
      const endlessTakes = await (async () => {
        const start = performance.now();
        await asked(BASE);
        return ((performance.now() - start) / 6) * 400;
      })();
      expect(took).toBeLessThan(endlessTakes / 2);
    },
    CALL_MS,
  );

  it(
    'answers conversations in the shipped template, the same for the same seed',
    async () => {
      const chat = {
        model: BASE,
        messages: [{ role: 'user', content: 'Was ist ein Bescheid?' }],
        max_tokens: 5,
        seed: 7,
      };
      const answers = [await send(chat, '/v1/chat/completions'), await send(chat, '/v1/chat/completions')];
      const [one, other] = (await Promise.all(answers.map(textOf))).map(
        (text) =>
          (JSON.parse(text) as { choices: { message: { role: string; content: string } }[] }).choices[0]?.message,
      );
      expect(one).toEqual({ role: 'assistant', content: expect.any(String) });
      expect(other).toEqual(one);
    },
    CALL_MS,
  );

  it(
    'refuses what it has not, and what does not fit',
    async () => {
      expect(await asked(BASE, { n: 2 })).toMatchObject({ status: 400, body: { error: { param: 'n' } } });
      expect(await asked(BASE, { max_tokens: 1000 })).toMatchObject({
        status: 400,
        body: { error: { param: 'prompt' } },
      });
      expect((await asked('ft:z')).status).toBe(404);
      await engine.unload('ft:b', limit());
      await engine.unload('ft:b', limit());
      expect((await asked('ft:b')).status).toBe(404);
      const wrong = { ...GEMMA, weights: { 'self_attn.q_proj': [512, 640] as const } };
      const path = await randomAdapter(join(folder, 'wrong'), wrong, 1);
      await expect(engine.load({ engineName: 'ft:w', path, rank: 4 }, limit())).rejects.toThrow(
        'llama.cpp does not take the adapter',
      );
      await writeFile(join(path, 'adapter_model.safetensors'), 'nothing that it knows');
      await expect(engine.load({ engineName: 'ft:w', path, rank: 4 }, limit())).rejects.toThrow('cannot be converted');
      expect((await asked(BASE)).body.choices).toEqual(before.choices);
    },
    CALL_MS,
  );

  it(
    'begins anew after a crash, and converts nothing twice',
    async () => {
      const converted = await readdir(join(folder, 'gguf-adapters'));
      process.kill(engine.pid ?? 0, 'SIGKILL');
      while (engine.state().is === 'up') await new SystemClock().sleep(50, limit());
      await engine.wake(AbortSignal.timeout(START_MS));
      expect(await names()).toEqual([[BASE, null]]);
      await engine.load({ engineName: 'ft:a', path: join(folder, 'ft:a'), rank: 4 }, limit());
      expect(await readdir(join(folder, 'gguf-adapters'))).toEqual(converted);
      expect((await asked(BASE)).body.choices).toEqual(before.choices);
    },
    START_MS,
  );
});
