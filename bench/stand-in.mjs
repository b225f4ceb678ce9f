import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/root.mjs';

/** What stands in for `accelerate launch`: ends at once, or reports ten steps a second until it is signalled. */
const workers = {
  ends: 'date +%s%N > "$run/worker.started"; exit 1',
  talks: `exec '${process.execPath}' '${join(root, 'bench', 'stand-in', 'worker.mjs')}' "$run"`,
};

/**
 * A Python for CLARA_PYTHON: it answers the installer's call, runs launch.py with the real Python as it is, and puts a
 * stand-in in the place of accelerate. So queue, launcher, run folder and supervision are the real ones.
 * @param {string} folder
 * @param {keyof typeof workers} worker
 * @returns {Record<string, string>} settings
 */
export function standInTrainer(folder, worker) {
  const model = join(folder, 'model');
  mkdirSync(model, { recursive: true });
  for (const name of ['config.json', 'model.safetensors']) writeFileSync(join(model, name), '{}');
  const python = join(folder, 'python');
  // A version manager's `python3` is a script that takes longer than what is measured.
  const real = execFileSync(process.env.CLARA_PYTHON ?? 'python3', ['-c', 'import sys; print(sys.executable)'], {
    encoding: 'utf8',
  }).trim();
  const script = `#!/bin/sh
for run; do :; done
case "$1" in
  *install.py) echo '{"phase":"ready","message":"stand-in","done":true,"python":"${python}"}' ;;
  -I) exec '${real}' "$@" ;;
  *) ${workers[worker]} ;;
esac
`;
  writeFileSync(python, script);
  chmodSync(python, 0o755);
  return { CLARA_PYTHON: python, CLARA_BASE_MODEL: model, CLARA_MODEL_DIRS: folder, CLARA_MAX_ATTEMPTS: '1' };
}
