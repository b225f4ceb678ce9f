import { masked } from './masking.js';

describe('what is masked in an audit row', () => {
  it.each([
    [{ password: 'x' }, { password: '[masked]' }],
    [{ a: { access_token: 'x' } }, { a: { access_token: '[masked]' } }],
    [{ note: 'Bearer abc' }, { note: '[masked]' }],
    [{ note: 'eyJhbGciOiJub25lIn0.e30.' }, { note: '[masked]' }],
    [{ list: ['-----BEGIN PRIVATE KEY-----'] }, { list: ['[masked]'] }],
    [
      { config_path: 'configs/lora.yaml', n: 1, none: null },
      { config_path: 'configs/lora.yaml', n: 1, none: null },
    ],
    [{ text: 'of a document' }, { text: '[masked]' }],
    [{ a: 'nul\u0000 half\uD800' }, { a: 'nul half\uFFFD' }],
    [
      { n: NaN, time: new Date(0) },
      { n: 'NaN', time: '1970-01-01T00:00:00.000Z' },
    ],
  ])('%j', (given, expected) => {
    expect(masked(given)).toEqual(expected);
  });

  it('cuts long texts and deep values', () => {
    expect((masked('a'.repeat(2000)) as string).length).toBe(501);
    expect(JSON.stringify(masked({ a: { b: { c: { d: { e: 1 } } } } }))).toContain('[too deep]');
  });
});
