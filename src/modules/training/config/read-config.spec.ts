import { Workplace, problemsOf } from '../../../../test/fixtures/configs/workplace.js';
import { ConfigError, parseConfig } from './read-config.js';

let place: Workplace;
beforeAll(async () => {
  place = await Workplace.make();
});
afterAll(() => place.remove());

const said = (text: string): string => {
  try {
    parseConfig(text);
    return 'accepted';
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
};

test('a mapping is read as Maps, numbers as YAML 1.2 has them', () => {
  expect(parseConfig('a: {b: 1e-6, c: 2e-4, d: yes, e: 0x10, f: "7"}')).toEqual(
    new Map([['a', new Map<string, unknown>(Object.entries({ b: 1e-6, c: 2e-4, d: 'yes', e: 16, f: '7' }))]]),
  );
});

test('anchors and aliases serve repetition', () => {
  expect(parseConfig('a: &x [q_proj]\nb: *x').get('b')).toEqual(['q_proj']);
});

test.each([
  ['', 'line 1, column 1: the file is not a mapping of sections such as model, lora, data and training'],
  ['# nothing', 'not a mapping'],
  ['just text', 'not a mapping'],
  ['- a\n- b', 'not a mapping'],
  ['42', 'not a mapping'],
  ['a: 1\na: 2', 'line 2, column 1: the key "a" stands twice'],
  ['a:\n  b: 1\n  c: 2\n  b: 3', 'line 4, column 3: the key "b" stands twice'],
  ['a: [1, 2', 'line 1, column 9: '],
  ['a:\n\tb: 1', 'line 2, column 1: Tabs are not allowed as indentation'],
  ['a: "open', 'line 1, column 9: Missing closing "quote'],
  ['a: b: c', 'line 1, column 4: Nested mappings are not allowed'],
  ['a: *nobody', 'line 1, column 4: *nobody has no anchor before it'],
  ['a: 1\n---\nb: 2', 'line 2, column 1: Source contains multiple documents'],
  ['a: !!js/function "x"', 'line 1, column 4: Unresolved tag'],
  ['a: !python/object:os.system x', 'Unresolved tag'],
  ['? [1, 2]\n: x', 'With stringKeys, all keys must be strings'],
  ['a: &x {b: 1}\nc:\n  <<: *x', 'line 3, column 3: merge keys (<<) are not read'],
  [`a: &x [1]\n${Array.from({ length: 51 }, (_, index) => `k${index}: *x`).join('\n')}`, 'has 51 aliases'],
])('%j', (text, why) => {
  expect(said(text)).toContain(why);
});

describe('hostile text ends in short time', () => {
  const size = 128 * 1024;
  const fill = (part: string): string => part.repeat(size / part.length);
  const nested = (levels: number): string =>
    Array.from(
      { length: levels },
      (_, level) =>
        `${'abcdefgh'[level]}: &${'abcdefgh'[level]} [${level === 0 ? 'x' : `*${'abcdefgh'[level - 1]}, `.repeat(6)}]`,
    ).join('\n');
  test.each([
    ['laughs', nested(8)],
    ['brackets', fill('[')],
    ['braces', fill('{a: ')],
    ['questions', fill('? ')],
    ['dashes', fill('- ')],
    ['colons', fill('a: ')],
    ['tabs', fill('\t')],
    ['quotes', fill('"\\x41')],
    ['stairs', Array.from({ length: 400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['anchors', Array.from({ length: 9000 }, (_, index) => `k${index}: &a 1`).join('\n')],
  ])('%s', (_name, text) => {
    const began = performance.now();
    said(text);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  test('a circle is no endless loop', async () => {
    expect(await place.problems('training: &a\n  seed: *a')).toEqual([
      expect.stringContaining('training.seed: a mapping'),
    ]);
    expect(await place.problems('training: &a\n  training: *a')).toEqual([
      expect.stringContaining('training.training'),
    ]);
  });
});

describe('a file', () => {
  const read = async (content: string | Uint8Array) => {
    await place.write('configs/file.yaml', content);
    return problemsOf(place.post('configs/file.yaml'));
  };

  test('of 128 KiB is read, a larger one not', async () => {
    const comment = (bytes: number) => `name: x\n#${'x'.repeat(bytes - 9)}`;
    expect(await read(comment(128 * 1024))).toEqual([]);
    expect(await read(comment(128 * 1024 + 1))).toEqual(['config_path: line 1: the file is larger than 128 KiB']);
  });

  test('may begin with a byte order mark and end lines as Windows does', async () => {
    expect(await read('\uFEFFname: x\r\ntraining:\r\n  seed: 1\r\n')).toEqual([]);
  });

  test('that is no text is refused', async () => {
    expect(await read(Buffer.from('name: x', 'utf16le'))).not.toEqual([]);
    expect(await read(Buffer.from([0x6e, 0xff, 0xfe]))).toEqual(['config_path: line 1: the file is not UTF-8 text']);
  });

  test('with an error names file, line and column', async () => {
    await place.write('configs/broken.yaml', 'training:\n  seed: [1\n');
    const posting = place.post('configs/broken.yaml');
    await expect(posting).rejects.toThrow('configs/broken.yaml is not a configuration: line ');
  });
});
