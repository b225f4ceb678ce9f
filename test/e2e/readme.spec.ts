import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdapterDto } from '../../src/modules/adapters/adapter.dto.js';
import { App } from '../fixtures/app.js';
import { Jobs } from '../fixtures/jobs.js';
import { blocksRunBy, runBlock } from '../fixtures/readme.js';
import { dialogues, root, standInPython, tinyModel } from '../fixtures/trainer.js';

import.meta.jest.setTimeout(600_000);

const BLOCK_MS = 60_000;
const TRAINED_MS = 300_000;
const SPEC = 'test/e2e/readme.spec.ts';
/** Two of them make two versions, of which the second is the newest. */
const config = `
name: vergabe
model: {base_model: default}
lora: {r: 8, alpha: 16, dropout: 0, target_modules: all-linear}
training: {num_epochs: 1, batch_size: 4, gradient_accumulation_steps: 1, learning_rate: 0.02, save_steps: 50}
data: {validation_split: 0.2, max_length: 64}
`;

describe('README.md', () => {
  let readme: string;

  beforeAll(async () => {
    readme = await readFile(join(root, 'README.md'), 'utf8');
  });

  it('shows calls that work as they stand there', async () => {
    const blocks = await blocksRunBy(SPEC);
    expect(blocks).toHaveLength(4);
    const app = await App.prepare({
      env: { CLARA_CONFIG_DIRS: join(root, 'configs'), CLARA_DATASET_DIRS: join(root, 'data-samples') },
    });
    try {
      // The last block looks at a job that still runs, and cancels it.
      await standInPython(join(app.folder, 'bin'), 4);
      await app.launch();
      await app.up();
      const output: string[] = [];
      for (const block of blocks) output.push(await runBlock(block, app, BLOCK_MS));
      const [documents, search, dataset, job] = output;
      expect(documents).toMatch(/"status":"completed".*fragen-zwangsmittel\.docx/s);
      expect(documents).not.toMatch(/"status":"failed"/);
      expect(search).toContain('Wiedereinsetzung in den vorigen Stand');
      expect(search).toMatch(/"total_documents":5/);
      expect(dataset).toMatch(/"status":"completed".*"format":"parquet".*"dataset_path":"dataset:[\w-]{36}@1"/s);
      expect(job).toContain('"status":"healthy"');
      expect(job).toContain('"cancel_requested":true');
    } finally {
      await app.dispose();
    }
  });

  it('shows answers of adapters that were trained, as they stand there', async () => {
    const blocks = await blocksRunBy(`${SPEC}, after a training`);
    expect(blocks).toHaveLength(2);
    const app = await App.start({ trainer: 'real', env: { CLARA_BASE_MODEL: await tinyModel() } });
    try {
      const jobs = new Jobs(app);
      for (const rows of [20, 24])
        await jobs.until(await jobs.post({ config, data: dialogues(rows) }), 'completed', TRAINED_MS);
      const { adapters } = (await app.call<{ adapters: AdapterDto[] }>('GET', '/api/adapters')).body;
      const [newer, older] = adapters as [AdapterDto, AdapterDto];
      const [answers, replicas] = blocks as [string, string];
      const first = await runBlock(answers, app, TRAINED_MS);
      expect(first).toMatch(/data: \[DONE\]\s+\{"object":"list"/);
      expect(first).toContain(`"id":"${newer.model_id}"`);
      await app.call('POST', `/api/adapters/${older.id}/promote`, { body: { alias: 'champion' } });
      const second = await runBlock(replicas, app, BLOCK_MS);
      expect(second).toContain(`"model": "${newer.model_id}"`);
      const { body } = await app.call<{ data: AdapterDto }>('GET', '/api/adapters/champion');
      expect(body.data.id).toBe(older.id);
    } finally {
      await app.dispose();
    }
  });

  it('names only scripts, files and settings that are there', async () => {
    const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const [, name] of readme.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(name);
    for (const [, path] of readme.matchAll(/\]\(([\w./]+)\)/g))
      await expect(readFile(join(root, path ?? ''))).resolves.toBeDefined();
    const settings = await readFile(join(root, 'docs/SETTINGS.md'), 'utf8');
    for (const [, name] of readme.matchAll(/\b((?:CLARA|UDS3)_[A-Z_]+)\b/g)) expect(settings).toContain(`\`${name}\``);
  });
});
