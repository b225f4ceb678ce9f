import { folderNames } from './file-names.js';

const whole = ['adapter_config.json', 'adapter_model.safetensors'];

describe('the names of uploaded files', () => {
  const named = (...names: string[]) => [...folderNames([...whole, ...names]).values()];

  it('take what belongs to an adapter', () => {
    const more = ['tokenizer.json', 'chat_template.jinja', 'README.md', 'tokenizer.model', 'training_report.json'];
    expect(named(...more)).toEqual([...whole, ...more]);
  });

  it('drop a folder around all of them, and what systems leave behind', () => {
    const names = ['my/adapter_config.json', './my/adapter_model.safetensors', 'my/.gitattributes', '__MACOSX/my/._x'];
    expect([...folderNames(names)]).toEqual([
      ['my/adapter_config.json', 'adapter_config.json'],
      ['./my/adapter_model.safetensors', 'adapter_model.safetensors'],
    ]);
  });

  it.each([
    ['adapter_model.bin', /pickle.*safe_serialization=True/],
    ['training_args.bin', /pickle/],
    ['optimizer.PT', /pickle/],
    ['x.pkl', /pickle/],
    ['modeling.py', /is code/],
    ['checkpoint-5/adapter_config.json', /folder of its own/],
    ['model.safetensors', /no part of an adapter/],
    ['notes', /no part of an adapter/],
    ['../adapter_config.json', /"\.\."/],
    ['a/../../b.md', /"\.\."/],
    ['/etc/passwd', /absolute/],
    ['C:/x.md', /drive/],
    ['..\\x.md', /backslash/],
    ['%2e%2e/x.md', /percent/],
    ['a\u0000.md', /control/],
    ['', /empty/],
    ['adapter_config.json', /came twice/],
  ])('refuse %j', (name, why) => expect(() => named(name)).toThrow(why));
});
