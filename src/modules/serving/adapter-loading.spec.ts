import { Readable } from 'node:stream';
import { FakeLog } from '../../../test/fixtures/live-feed.js';
import { versionOf } from '../../../test/fixtures/registry.js';
import { eventually } from '../../../test/fixtures/waiting.js';
import { AdapterLoading, SlotsBusy, type LoadingParts } from './adapter-loading.js';
import { AdapterSlots } from './adapter-slots.js';
import type { Engine, EngineRequest } from './engine.port.js';

/** Each model has a first token of its own. An unload lasts until the test lets it end, as does a load of what `isSlow`. */
class SlowEngine {
  readonly id = 'slow';
  readonly unloading: (() => void)[] = [];
  readonly loading: (() => void)[] = [];
  isSlow = '';
  readonly #tokens = new Map<string, number>();

  nameOf = ({ modelId }: { modelId: string }): string => modelId;
  baseName = (): string => 'base';
  state = () => ({ is: 'up' as const });
  load = ({ engineName }: { engineName: string }): Promise<void> =>
    engineName === this.isSlow ? new Promise((done) => this.loading.push(done)) : Promise.resolve();
  unload = (): Promise<void> => new Promise((done) => this.unloading.push(done));

  send = ({ body }: EngineRequest) => {
    const { model } = JSON.parse((body as Buffer).toString()) as { model: string };
    if (!this.#tokens.has(model)) this.#tokens.set(model, -1 - this.#tokens.size);
    const top = [{ der: this.#tokens.get(model) }];
    const answer = JSON.stringify({ choices: [{ logprobs: { top_logprobs: top } }] });
    return Promise.resolve({ status: 200, headers: {}, body: Readable.from([Buffer.from(answer)]) });
  };
}

const [one, two] = [versionOf(1), versionOf(2)];

describe('the slots of an engine', () => {
  let engine: SlowEngine;
  let loading: AdapterLoading;
  let changes = 0;

  beforeEach(() => {
    engine = new SlowEngine();
    const metrics = { loaded: () => undefined, evicted: () => undefined } as unknown as LoadingParts['metrics'];
    const parts = {
      log: new FakeLog(),
      importance: () => 0 as const,
      metrics,
      now: () => 0,
      changed: () => (changes += 1),
    };
    loading = new AdapterLoading(engine as unknown as Engine, new AdapterSlots(1), parts);
  });

  it('wait for one that is being left: it is as good as free', async () => {
    const left = loading.remove(await loading.ensure(one, 'free'), new Error('it goes'));
    const next = loading.ensure(two, 'evict');
    await new Promise((resolve) => setImmediate(resolve));
    engine.unloading.forEach((end) => end());
    expect((await next).versionId).toBe(two.id);
    await left;
    expect(engine.unloading).toHaveLength(1);
  });

  it('are not waited for by what only fills free ones: a promotion is to find them free', async () => {
    const left = loading.remove(await loading.ensure(one, 'free'), new Error('it goes'));
    await expect(loading.ensure(two, 'free')).rejects.toThrow(SlotsBusy);
    engine.unloading.forEach((end) => end());
    await left;
  });

  it('wait for one that is being loaded where a promotion needs them, and only there', async () => {
    engine.isSlow = one.modelId;
    const filling = loading.ensure(one, 'free');
    const next = loading.ensure(two, 'wait');
    await expect(loading.ensure(versionOf(3), 'evict')).rejects.toThrow(SlotsBusy);
    engine.loading.forEach((end) => end());
    expect((await filling).versionId).toBe(one.id);
    await eventually('the first one goes', () => engine.unloading.length > 0);
    engine.unloading.forEach((end) => end());
    expect((await next).versionId).toBe(two.id);
  });

  it('are waited for by a promotion also where the version was about to fill a free one', async () => {
    const left = loading.remove(await loading.ensure(one, 'free'), new Error('it goes'));
    const filling = loading.ensure(two, 'free');
    const promoted = loading.ensure(two, 'wait');
    await expect(filling).rejects.toThrow(SlotsBusy);
    engine.unloading.forEach((end) => end());
    expect((await promoted).versionId).toBe(two.id);
    await left;
  });

  it('tell of every end of a load', async () => {
    changes = 0;
    (await loading.ensure(one, 'free')).answers.add(new AbortController());
    await expect(loading.ensure(two, 'evict')).rejects.toThrow(SlotsBusy);
    expect(changes).toBe(2);
  });

  it('stay with one whose answers began as soon as it was loaded', async () => {
    engine.isSlow = one.modelId;
    const filling = loading.ensure(one, 'free').then((held) => held.answers.add(new AbortController()));
    const next = loading.ensure(two, 'wait');
    await eventually('it is being loaded', () => engine.loading.length > 0);
    engine.loading.forEach((end) => end());
    await filling;
    await expect(next).rejects.toThrow(SlotsBusy);
  });

  it('are busy where answers run, or nothing may go', async () => {
    const held = await loading.ensure(one, 'free');
    await expect(loading.ensure(two, 'free')).rejects.toThrow(SlotsBusy);
    held.answers.add(new AbortController());
    await expect(loading.ensure(two, 'evict')).rejects.toThrow(SlotsBusy);
  });
});
