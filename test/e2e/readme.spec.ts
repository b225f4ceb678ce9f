import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { App } from '../fixtures/app.js';
import { root } from '../fixtures/trainer.js';

import.meta.jest.setTimeout(300_000);

const execute = promisify(execFile);
const BLOCK_MS = 60_000;

/** The block as it stands there, but for the ports; a call that fails ends it. */
async function run(block: string, { ports }: App): Promise<string> {
  const script = `set -euo pipefail\n${block}`
    .replaceAll(':45679', `:${ports.INGESTION}`)
    .replaceAll(':45680', `:${ports.TRAINING}`)
    .replaceAll(':45681', `:${ports.DATASET}`)
    .replaceAll('curl ', 'curl -fsS ');
  return (await execute('bash', ['-c', script], { cwd: root, timeout: BLOCK_MS })).stdout;
}

describe('README.md', () => {
  let readme: string;

  beforeAll(async () => {
    readme = await readFile(join(root, 'README.md'), 'utf8');
  });

  it('shows calls that work as they stand there', async () => {
    const blocks = [...readme.matchAll(/<!-- run by .* -->\s+```bash\n([\s\S]*?)```/g)].map(([, block]) => block ?? '');
    expect(blocks).toHaveLength(4);
    const app = await App.start({
      env: { CLARA_CONFIG_DIRS: join(root, 'configs'), CLARA_DATASET_DIRS: join(root, 'data-samples') },
    });
    try {
      const output: string[] = [];
      for (const block of blocks) output.push(await run(block, app));
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

  it('names only scripts, files and settings that are there', async () => {
    const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const [, name] of readme.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(name);
    for (const [, path] of readme.matchAll(/\]\(([\w./]+)\)/g))
      await expect(readFile(join(root, path ?? ''))).resolves.toBeDefined();
    const settings = await readFile(join(root, 'docs/SETTINGS.md'), 'utf8');
    for (const [, name] of readme.matchAll(/`((?:CLARA|UDS3)_[A-Z_]+)`/g)) expect(settings).toContain(`\`${name}\``);
  });
});
