import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { App } from '../fixtures/app.js';
import { root } from '../fixtures/trainer.js';

import.meta.jest.setTimeout(180_000);

const execute = promisify(execFile);

describe('README.md', () => {
  let readme: string;

  beforeAll(async () => {
    readme = await readFile(join(root, 'README.md'), 'utf8');
  });

  it('shows calls that work as they stand there', async () => {
    const block = /<!-- run by .* -->\s+```bash\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const app = await App.start({
      env: { CLARA_CONFIG_DIRS: join(root, 'configs'), CLARA_DATASET_DIRS: join(root, 'data-samples') },
    });
    try {
      const script = `set -euo pipefail\n${block}`
        .replaceAll(':45680', `:${app.ports.TRAINING}`)
        .replaceAll('curl ', 'curl -fsS ');
      const { stdout } = await execute('bash', ['-c', script]);
      expect(stdout).toContain('"status":"healthy"');
      expect(stdout).toContain('"cancel_requested":true');
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
