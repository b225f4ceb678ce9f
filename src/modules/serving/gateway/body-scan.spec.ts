import { BodyProblem, BodyScan } from './body-scan.js';

const WANTED = ['model', 'stream', 'user'];

/** Scans a text in pieces of these lengths, in turn. */
function scanned(body: string | Buffer, ...lengths: number[]): BodyScan {
  const bytes = Buffer.from(body as string);
  const scan = new BodyScan(WANTED);
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? bytes.length;
    scan.push(bytes.subarray(at, at + length));
    at += length;
  }
  scan.end();
  return scan;
}

const valuesOf = (scan: BodyScan) => Object.fromEntries([...scan.found].map(([key, { value }]) => [key, value]));

function problemOf(body: string | Buffer, ...lengths: number[]): BodyProblem | undefined {
  try {
    scanned(body, ...lengths);
    return undefined;
  } catch (error) {
    if (error instanceof BodyProblem) return error;
    throw error;
  }
}

describe('the top level of a body', () => {
  it.each([
    ['model and stream', '{"model":"a","stream":true}', { model: 'a', stream: true }],
    ['space everywhere', ' \n{ "model" :\t"a" , "stream" : false }\r\n', { model: 'a', stream: false }],
    ['model last', '{"messages":[{"role":"user","content":"hi"}],"model":"a"}', { model: 'a' }],
    ['a model inside of others', '{"x":{"model":"b"},"y":[{"model":"c"}],"model":"a"}', { model: 'a' }],
    ['a text that looks like it', String.raw`{"x":"\",\"model\":\"b\"","model":"a"}`, { model: 'a' }],
    ['a text that ends with a backslash', String.raw`{"x":"\\","model":"a"}`, { model: 'a' }],
    ['an escaped key', String.raw`{"mod\u0065l":"a"}`, { model: 'a' }],
    ['an escaped value', String.raw`{"model":"a\u00e4\n\"\\"}`, { model: 'aä\n"\\' }],
    ['umlauts', '{"model":"größe","user":"Jörg"}', { model: 'größe', user: 'Jörg' }],
    ['a model that is no text', '{"model":{"a":[1,"]"]},"user":null}', { model: { a: [1, ']'] }, user: null }],
    ['a number', '{"model":-1.5e+3}', { model: -1500 }],
    ['nothing', '{}', {}],
    ['an empty model', '{"model":""}', { model: '' }],
  ])('is read with %s, in pieces of any length', (_, body, expected) => {
    for (let length = 1; length <= Buffer.byteLength(body); length += 1)
      expect(valuesOf(scanned(body, length))).toEqual(expected);
  });

  it('tells where the bytes stand', () => {
    const body = '{"größe":"ü","model" : "ab\\u0063" ,"z":1}';
    for (const length of [1, 3, 100]) {
      const { start, end } = scanned(body, length).found.get('model') ?? { start: 0, end: 0 };
      expect(Buffer.from(body).subarray(start, end).toString()).toBe('"ab\\u0063"');
    }
  });

  it.each([
    ['', /is empty/],
    ['  ', /is empty/],
    ['[]', /not a JSON object/],
    ['"model"', /not a JSON object/],
    ['\ufeff{"model":"a"}', /not a JSON object/],
    ['{"model":"a"', /ends at byte 12/],
    ['{"model":"a', /ends at byte/],
    ['{"model":tru', /ends at byte/],
    ['{"model":1', /ends at byte/],
    ['{"model":"a"}}', /"}" at byte 13/],
    ['{"model":"a"} x', /"x" at byte 14/],
    ['{"model":"a",}', /"}" at byte 13/],
    ['{,"model":"a"}', /"," at byte 1/],
    ['{"a":[1,]}', /"]" at byte 8/],
    ['{"a":[1}', /"}" at byte 7/],
    ['{"a":{"b":1]}', /"]" at byte 11/],
    ["{'model':'a'}", /"'" at byte 1/],
    ['{model:"a"}', /"m" at byte 1/],
    ['{"a" "b"}', /at byte 5/],
    ['{"a":NaN}', /"N" at byte 5/],
    ['{"a":nul}', /"}" at byte 8/],
    ['{"a":01}', /"1" at byte 6/],
    ['{"a":1.}', /"}" at byte 7/],
    ['{"a":+1}', /"\+" at byte 5/],
    ['{"a":--1}', /"-" at byte 6/],
    ['{"a":1e}', /"}" at byte 7/],
    ['{"a":/**/1}', /"\/" at byte 5/],
    ['{"a":1\0}', /0x0 at byte 6/],
    [String.raw`{"model":"\x"}`, /not valid at byte 9/],
    ['{"model":"a\nb"}', /not valid at byte 9/],
  ])('refuses %j', (body, message) => {
    for (const length of [1, 2, 1000]) expect(problemOf(body, length)?.message).toMatch(message);
  });

  it.each(['{"model":"a","model":"b"}', String.raw`{"model":"a","x":{},"m\u006fdel":"b"}`, '{"x":1,"x":1}'])(
    'refuses a key that stands twice: %s',
    (body) => {
      expect(problemOf(body)?.message).toMatch(/stands twice/);
      expect(problemOf(body, 1)?.param).toBe(body.includes('model') ? 'model' : 'x');
    },
  );

  it('leaves equal keys below the top level alone, and has a bound for everything', () => {
    expect(problemOf('{"a":{"b":1,"b":2}}')).toBeUndefined();
    expect(problemOf(`{"a":${'['.repeat(300)}`)?.message).toMatch(/deeper than 200/);
    expect(problemOf(`{${Array.from({ length: 300 }, (_, at) => `"k${at}":1`).join(',')}}`)?.message).toMatch(
      /256 keys/,
    );
    expect(problemOf(`{"model":"${'x'.repeat(5000)}"}`)?.param).toBe('model');
    expect(problemOf(`{"${'x'.repeat(5000)}":1}`, 100)?.message).toMatch(/longer than 4096/);
    expect(problemOf(`{"x":"${'x'.repeat(50_000)}"}`, 100)).toBeUndefined();
  });
});

/** mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('against JSON.parse', () => {
  const random = seeded(20260801);
  const below = (count: number): number => Math.floor(random() * count);
  const LETTERS = [
    'a',
    '"',
    '\\',
    '\n',
    'ä',
    '😀',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    'model',
    ' ',
    '\u2028',
    'x'.repeat(30),
  ];
  const text = (): string => Array.from({ length: below(6) }, () => LETTERS[below(LETTERS.length)]).join('');
  const scalars: (() => unknown)[] = [
    text,
    () => below(1000) - 500,
    () => random() * 1e-9,
    () => true,
    () => false,
    () => null,
  ];
  const scalar = (): unknown => scalars[below(scalars.length)]?.();
  const value = (depth: number): unknown => {
    const kind = depth > 3 ? 0 : below(4);
    if (kind === 1) return Array.from({ length: below(4) }, () => value(depth + 1));
    if (kind === 2) return Object.fromEntries(Array.from({ length: below(4) }, () => [text(), value(depth + 1)]));
    return scalar();
  };
  const body = (): string => {
    const fields = Object.fromEntries(Array.from({ length: below(6) }, () => [text(), value(0)]));
    for (const name of WANTED) if (below(2)) fields[name] = value(2);
    return JSON.stringify(fields, null, below(2) ? undefined : 1);
  };
  const parsed = (json: string): Record<string, unknown> | undefined => {
    try {
      const result: unknown = JSON.parse(json);
      return typeof result === 'object' && !Array.isArray(result) && result
        ? (result as Record<string, unknown>)
        : undefined;
    } catch {
      return undefined;
    }
  };

  it('finds the same in 5000 bodies', () => {
    for (let round = 0; round < 5000; round += 1) {
      const json = body();
      const all = parsed(json) ?? {};
      const expected = Object.fromEntries(WANTED.filter((name) => name in all).map((name) => [name, all[name]]));
      expect([json, valuesOf(scanned(json, 1 + below(9), 1 + below(90)))]).toEqual([json, expected]);
    }
  });

  it('takes of 20000 damaged bodies none whose structure JSON.parse refuses, and refuses none that it takes', () => {
    let refused = 0;
    const signs = '{}[]",:\\0-1e.+tn ';
    for (let round = 0; round < 20_000; round += 1) {
      const whole = body();
      const at = below(whole.length);
      const sign = signs[below(signs.length)] ?? '';
      const json =
        [whole.slice(0, at) + sign + whole.slice(at), whole.slice(0, at) + whole.slice(at + 1), whole.slice(0, at)][
          below(3)
        ] ?? '';
      const problem = problemOf(json, 1 + below(20));
      refused += problem ? 1 : 0;
      // What it leaves to the engine: escapes and control characters inside of strings.
      const lenient = json
        .replace(/\\(?:(["\\])|.)/gsu, (_, kept?: string) => (kept ? `\\${kept}` : 'xx'))
        .replace(/\p{Cc}/gu, ' ');
      const structure = parsed(lenient);
      if (parsed(json) && problem && !/twice/.test(problem.message))
        throw new Error(`refused: ${json}: ${problem.message}`);
      if (!problem && !structure) throw new Error(`taken: ${json}`);
    }
    expect(refused).toBeGreaterThan(5000);
  });
});
