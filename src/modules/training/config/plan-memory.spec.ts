import { rename, rm, symlink, utimes } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { noGpu, problemsOf, Workplace } from '../../../../test/fixtures/configs/workplace.js';
import { PlanMemory } from './plan-memory.js';

let place: Workplace;
let memory: PlanMemory;
const request = {
  trainer_type: 'lora',
  method: 'supervised',
  config_path: 'configs/a.yaml',
  dataset_path: null,
} as const;
const plan = (posted = {}) => memory.plan({ ...request, ...posted });

beforeEach(async () => {
  place = await Workplace.make();
  await place.write('configs/a.yaml', 'lora: {r: 8}');
  memory = new PlanMemory({ settings: place.settings(), machine: noGpu });
  // Younger files are not trusted yet.
  await sleep(150);
});
afterEach(() => place.remove());

test('a plan is made once for files that stay the same', async () => {
  const first = await plan();
  expect(await plan()).toBe(first);
  expect(await plan({ trainer_type: 'qlora' })).not.toBe(first);
});

test('a file that was changed a moment ago is read again', async () => {
  await place.write('configs/a.yaml', 'lora: {r: 4}');
  const first = await plan();
  expect(await plan()).not.toBe(first);
  expect(await plan()).toEqual(first);
});

test('a changed configuration is read, though size and modification time are the same', async () => {
  await plan();
  const old = new Date(0);
  await place.write('configs/a.yaml', 'lora: {r: 9}');
  await utimes(place.at('configs/a.yaml'), old, old);
  expect((await plan()).config.run.adapter.r).toBe(9);
});

test('changed data has another hash', async () => {
  const hash = async () => (await plan()).config.run.data.train[0]?.sha256;
  const before = await hash();
  await place.write('data-samples/verwaltung.jsonl', '{"text": "Anders."}\n');
  expect(await hash()).not.toBe(before);
});

test.each([
  ['is gone', () => rm(place.at('configs/a.yaml'))],
  [
    'is replaced by a link that leads out',
    async () => {
      await rename(place.at('configs/a.yaml'), place.at('a.yaml'));
      await symlink(place.at('a.yaml'), place.at('configs/a.yaml'));
    },
  ],
])('a configuration that %s is refused', async (_what, change) => {
  await plan();
  await change();
  expect(await problemsOf(plan())).toHaveLength(1);
});

test('a model that lost its weights is refused', async () => {
  await place.write('configs/a.yaml', 'model: {base_model: models/small}');
  await sleep(150);
  await plan();
  await rm(place.at('models/small/model.safetensors'));
  expect(await problemsOf(plan())).toHaveLength(1);
});

test('a refusal is not remembered', async () => {
  expect(await problemsOf(plan({ dataset_path: 'data-samples/new.jsonl' }))).toHaveLength(1);
  await place.write('data-samples/new.jsonl', '{"text": "Da."}\n');
  expect((await plan({ dataset_path: 'data-samples/new.jsonl' })).config.run.data.train).toHaveLength(1);
});
