import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ollamaTemplate } from './ollama-template.js';

describe('a chat template for Ollama', () => {
  let folder: string;
  const shipped = join(process.cwd(), 'trainer', 'src', 'clara_trainer', 'chat_template.jinja');
  const template = (addsBegin = false) => ollamaTemplate(folder, { shipped, addsBegin });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-ollama-template-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("is the base's own but where the adapter was trained with the shipped one", async () => {
    expect(await template()).toBeUndefined();
    await writeFile(join(folder, 'chat_template.jinja'), '{{ messages }}');
    expect(await template()).toBeUndefined();
  });

  it('has the marks of the tokenizer, the first where Ollama does not put it itself', async () => {
    await copyFile(shipped, join(folder, 'chat_template.jinja'));
    expect(await template()).toMatch(/^\{\{- range/);
    const tokens = { bos_token: '<s>', eos_token: { content: '</s>' } };
    await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(tokens));
    expect(await template()).toMatch(/^<s>\{\{- range .*### Assistant:\n\{\{ \.Content \}\}<\/s>\n\n/s);
    expect(await template(true)).toMatch(/^\{\{- range/);
    await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify({ bos_token: '{{ .System }}' }));
    expect(await template()).toMatch(/^\{\{- range/);
  });
});
