import { execFileSync } from 'node:child_process';
import { link, mkdir, rename, rm, symlink, truncate } from 'node:fs/promises';
import { createServer } from 'node:net';
import { Workplace } from '../../../../test/fixtures/configs/workplace.js';
import { configRules, datasetRules } from './allowed-folders.js';
import { outputFolder } from './output-folder.js';
import { confine, isInside, openConfined, PathError, problemOfForm } from '../../../kernel/safe-path.js';

let place: Workplace;
beforeEach(async () => {
  place = await Workplace.make();
  await place.write('configs/lora.yaml', 'name: x');
  await place.write('configs/deep/er/lora.yml', 'name: x');
  await place.write('outside/secret.yaml', 'password: 1');
});
afterEach(() => place.remove());

const config = (path: string) => confine(path, configRules(place.settings()));
const dataset = (path: string) => confine(path, datasetRules(place.settings()));
const refusal = (path: string): Promise<unknown> =>
  config(path).then(
    () => 'accepted',
    (error: unknown) => error,
  );
const expectRefused = async (path: string, why: string): Promise<void> => {
  const error = await refusal(path);
  expect(error).toBeInstanceOf(PathError);
  expect((error as PathError).message).toContain(why);
};

test('a path from the root, by any way of writing it', async () => {
  for (const path of ['configs/lora.yaml', './configs/lora.yaml', 'configs//lora.yaml', 'configs/./lora.yaml'])
    expect(await config(path)).toBe(place.at('configs/lora.yaml'));
  expect(await config(place.at('configs/lora.yaml'))).toBe(place.at('configs/lora.yaml'));
  expect(await config('configs/deep/er/lora.yml')).toBe(place.at('configs/deep/er/lora.yml'));
});

test.each([
  ['', 'is empty'],
  ['  ', 'is empty'],
  ['configs/lora.yaml\0.txt', 'holds control characters'],
  ['configs/lora\n.yaml', 'holds control characters'],
  ['configs\\lora.yaml', 'holds a backslash'],
  ['..\\..\\secret.yaml', 'holds a backslash'],
  ['C:\\configs\\lora.yaml', 'holds a backslash'],
  ['C:/configs/lora.yaml', 'is an address or a drive'],
  ['file:///etc/passwd.yaml', 'is an address or a drive'],
  ['https://example.org/lora.yaml', 'is an address or a drive'],
  ['configs/%2e%2e/outside/secret.yaml', 'is percent-encoded'],
  ['configs%2Flora.yaml', 'is percent-encoded'],
  ['configs/%252e%252e/lora.yaml', 'is percent-encoded'],
  ['~/lora.yaml', 'starts with ~'],
  ['../secret.yaml', 'holds ".."'],
  ['configs/../outside/secret.yaml', 'holds ".."'],
  ['configs/deep/../lora.yaml', 'holds ".."'],
  ['configs/..', 'holds ".."'],
  ['/etc/passwd', 'has another ending'],
  ['/etc/passwd.yaml', 'lies outside of the allowed folders'],
  ['outside/secret.yaml', 'lies outside of the allowed folders'],
  ['configs-other/lora.yaml', 'lies outside of the allowed folders'],
  ['/configs/lora.yaml', 'lies outside of the allowed folders'],
  ['configs', 'has another ending'],
  ['configs/lora.yaml/', 'leads through something that is not a folder'],
  ['configs/lora.json', 'has another ending'],
  ['configs/.yaml', 'has another ending'],
  ['configs/gone.yaml', 'does not exist'],
  ['configs/．．/lora.yaml', 'does not exist'],
  ['configs/lora.yaml/x.yaml', 'leads through something that is not a folder'],
  [`configs/${'x'.repeat(300)}.yaml`, 'has a part that is too long'],
  [`configs/${'x/'.repeat(600)}lora.yaml`, 'is longer than 1024 characters'],
])('%j: %s', async (path, why) => {
  if (path === 'configs/lora.yaml/') return expect(await config(path)).toBe(place.at('configs/lora.yaml'));
  await expectRefused(path, why);
});

test('a message names the value and the allowed folders, and no folder of the machine', async () => {
  await expectRefused(
    '/etc/x.yaml',
    '"/etc/x.yaml" lies outside of the allowed folders; a configuration is a file ending in .yaml or .yml in configs',
  );
  await rm(place.at('configs'), { recursive: true });
  const message = await config('configs/lora.yaml').catch((error: Error) => error.message);
  expect(message).toContain('does not exist');
  expect(message).not.toContain(place.root);
});

describe('links', () => {
  test.each([
    ['to a file outside', 'configs/link.yaml', 'outside/secret.yaml', 'leads out of the allowed folders'],
    [
      'to the data of the database',
      'configs/link.yaml',
      'data/postgres/secret.json',
      'leads out of the allowed folders',
    ],
    ['to a device', 'configs/link.yaml', '/dev/zero', 'leads out of the allowed folders'],
    ['to nothing', 'configs/link.yaml', 'outside/gone.yaml', 'does not exist'],
    ['to itself', 'configs/link.yaml', 'configs/link.yaml', 'is a circle of links'],
  ])('%s', async (_name, from, to, why) => {
    await symlink(to.startsWith('/') ? to : place.at(to), place.at(from));
    await expectRefused(from, why);
  });

  test('of a folder to the outside', async () => {
    await symlink(place.at('outside'), place.at('configs/folder'));
    await expectRefused('configs/folder/secret.yaml', 'leads out of the allowed folders');
  });

  test('to a file of another kind inside', async () => {
    await place.write('configs/key.pem', 'x');
    await symlink(place.at('configs/key.pem'), place.at('configs/link.yaml'));
    await expectRefused('configs/link.yaml', 'leads out of the allowed folders');
  });

  test('inside are followed', async () => {
    await symlink('deep/er/lora.yml', place.at('configs/link.yaml'));
    expect(await config('configs/link.yaml')).toBe(place.at('configs/deep/er/lora.yml'));
  });

  test('the allowed folder itself may be one', async () => {
    await rename(place.at('configs'), place.at('elsewhere'));
    await symlink(place.at('elsewhere'), place.at('configs'));
    expect(await config('configs/lora.yaml')).toBe(place.at('elsewhere/lora.yaml'));
  });
});

describe('what is no file', () => {
  test('a folder', async () => {
    await mkdir(place.at('configs/folder.yaml'));
    await expectRefused('configs/folder.yaml', 'is not a regular file');
  });

  test('a named pipe does not hold the application', async () => {
    execFileSync('mkfifo', [place.at('configs/pipe.yaml')]);
    await expectRefused('configs/pipe.yaml', 'is not a regular file');
  });

  test('a socket', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(place.at('configs/s.yaml'), done));
    await expectRefused('configs/s.yaml', 'is not a regular file');
    await new Promise((done) => server.close(done));
  });
});

describe('data sets', () => {
  test('lie in the shipped folder and in two folders of the data folder', async () => {
    await place.write('data/datasets/a.csv', 'a');
    expect(await dataset('data/datasets/a.csv')).toBe(place.at('data/datasets/a.csv'));
    expect(await dataset('data/uploads/mine.jsonl')).toBe(place.at('data/uploads/mine.jsonl'));
    expect(await dataset('data-samples/verwaltung.jsonl')).toBe(place.at('data-samples/verwaltung.jsonl'));
  });

  test.each(['data/runs/job/1/run.json', 'data/postgres/secret.json', 'data/x.json'])('never %s', async (path) => {
    await place.write('data/x.json', '{}');
    const { folders, ...settings } = place.settings();
    for (const datasets of [['data-samples'], ['.'], ['data'], ['data', 'data/runs/..']].map((list) =>
      list.map(place.at),
    )) {
      const rules = datasetRules({ ...settings, folders: { ...folders, datasets } });
      await expect(confine(path, rules)).rejects.toThrow('lies outside of the allowed folders');
    }
  });
});

test('a link that is put in the place of the file while it is opened never leads out', async () => {
  const rules = configRules(place.settings());
  await symlink(place.at('outside'), place.at('bait'));
  await place.write('swapped/secret.yaml', 'name: good');
  await rename(place.at('swapped'), place.at('configs/swapped'));
  const pause = () => new Promise((done) => setTimeout(done, 1));
  let going = true;
  const swap = async () => {
    while (going) {
      await rename(place.at('configs/swapped'), place.at('away'));
      await rename(place.at('bait'), place.at('configs/swapped'));
      await rename(place.at('configs/swapped'), place.at('bait'));
      await rename(place.at('away'), place.at('configs/swapped'));
      await pause();
    }
  };
  const swapping = swap();
  const seen = new Set<string>();
  for (let round = 0; round < 400; round += 1) {
    const file = await openConfined('configs/swapped/secret.yaml', rules).catch(() => undefined);
    if (file) seen.add(await file.handle.readFile('utf8'));
    await file?.handle.close();
  }
  going = false;
  await swapping;
  expect([...seen].filter((content) => content !== 'name: good')).toEqual([]);
  expect(seen.size).toBe(1);
});

test('a handle is told the size, and closed where the file is refused', async () => {
  await truncate(place.at('configs/lora.yaml'), 3);
  const { size, handle } = await openConfined('configs/lora.yaml', configRules(place.settings()));
  expect(size).toBe(3);
  await handle.close();
});

test('a hard link is a file like any other', async () => {
  await link(place.at('configs/lora.yaml'), place.at('configs/hard.yaml'));
  expect(await config('configs/hard.yaml')).toBe(place.at('configs/hard.yaml'));
});

describe('output_dir', () => {
  const output = (name: string) => outputFolder(name, place.at('data'));

  test.each([
    ['models', 'models'],
    ['models/german', 'models/german'],
    ['./models//german/', 'models/german'],
    ['Ämter_2', 'Ämter_2'],
  ])('%s is %s', async (asked, name) => expect(await output(asked)).toBe(name));

  test.each([
    ['/models', 'is an absolute path'],
    ['../models', 'has the part "..", which is not a plain folder name'],
    ['models/../../x', 'has the part ".."'],
    ['models/..', 'has the part ".."'],
    ['.', 'names no folder'],
    ['postgres', 'is in the folder postgres, which is kept for other data'],
    ['Runs/x', 'is in the folder Runs, which is kept for other data'],
    ['uploads', 'is kept for other data'],
    ['datasets/x', 'is kept for other data'],
    ['.hidden', 'has the part ".hidden"'],
    ['~/x', 'has the part "~"'],
    ['-rf', 'has the part "-rf"'],
    ['a b', 'has the part "a b"'],
    ['a\\b', 'which is not a plain folder name'],
    ['a\0b', 'which is not a plain folder name'],
    ['a%2fb', 'which is not a plain folder name'],
    ['C:', 'which is not a plain folder name'],
    ['x'.repeat(101), 'which is not a plain folder name'],
    ['a/b/c/d/e/f', 'has more than 5 parts'],
  ])('%j: %s', async (asked, why) => {
    await expect(output(asked)).rejects.toThrow(PathError);
    await expect(output(asked)).rejects.toThrow(why);
  });

  test('leads through no link and no file', async () => {
    await symlink(place.at('outside'), place.at('data/link'));
    await place.write('data/file', '');
    await expect(output('link/x')).rejects.toThrow('leads through a link');
    await expect(output('file/x')).rejects.toThrow('leads through a file');
    await expect(output('uploads-2/x')).resolves.toBe('uploads-2/x');
  });
});

/** The same numbers in each run: a failure can be repeated. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state;
  }
}

test('no mixture of path parts leads out', async () => {
  const parts = [
    '..',
    '.',
    'configs',
    'outside',
    'secret.yaml',
    'lora.yaml',
    '',
    '~',
    '%2e%2e',
    '..\\',
    'link',
    'etc',
    '\0',
    '...',
  ];
  await symlink(place.at('outside'), place.at('configs/link'));
  const random = numbers(1);
  const next = (below: number): number => Number(random.next().value) % below;
  for (let round = 0; round < 2000; round += 1) {
    const path = Array.from({ length: 1 + next(6) }, () => parts[next(parts.length)]).join('/');
    const found = await config(path).catch((error: unknown) => expect(error).toBeInstanceOf(PathError));
    if (typeof found === 'string') expect(isInside(found, place.at('configs'))).toBe(true);
    if (/(^|\/)\.\.(\/|$)/.test(path)) expect(problemOfForm(path)).toBeDefined();
  }
});
