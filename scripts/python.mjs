import { join } from 'node:path';
import { Problem } from './problem.mjs';
import { lastLines, runProgram } from './program.mjs';
import { cacheFolder, root } from './root.mjs';

const MINIMUM = [3, 11];
const NAMES = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python'];
const SHOW = 'import sys; print(*sys.version_info[:2], sys.executable)';

/**
 * The Python that the trainer's environment is made with: CLARA_PYTHON, else the first that is new enough.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<string>}
 * @throws Problem naming what was found
 */
export async function findPython(env = process.env) {
  const found = [];
  for (const name of env.CLARA_PYTHON ? [env.CLARA_PYTHON] : NAMES) {
    const { code, output } = await runProgram(name, ['-c', SHOW]);
    if (code !== 0) continue;
    const [major, minor, ...path] = output.trim().split(' ');
    if (isNewEnough(Number(major), Number(minor))) return name;
    found.push(`${name} is ${major}.${minor} (${path.join(' ')})`);
  }
  const seen = found.length > 0 ? found.join(', ') : `${env.CLARA_PYTHON ?? 'python3'} is not there`;
  throw new Problem(
    `Training needs Python ${MINIMUM.join('.')} or newer: ${seen}. ` +
      'Install one (Debian and Ubuntu: apt-get install python3 python3-venv), or name it in CLARA_PYTHON.',
  );
}

/**
 * @param {number} major
 * @param {number} minor
 */
const isNewEnough = (major, minor) => major === MINIMUM[0] && minor >= Number(MINIMUM[1]);

/**
 * Makes the trainer's environment where it is missing.
 * @param {{python: string, dev: boolean, say: (line: string) => void}} options dev: with ruff, mypy and pytest
 * @returns {Promise<string>} Python of the environment
 * @throws Problem
 */
export async function installTrainer({ python, dev, say }) {
  const args = [join(root, 'trainer', 'install.py'), '--cache', cacheFolder(), ...(dev ? ['--dev'] : [])];
  /** @type {{python?: string, error?: string, message?: string}} */
  let last = {};
  let phase = 'ready';
  const { code, output } = await runProgram(python, args, {
    onLine: (line) => {
      const progress = parse(line);
      if (!progress) return;
      last = progress;
      if (progress.phase !== phase && !progress.done && !progress.error) say(progress.message);
      phase = progress.phase;
    },
  });
  if (code === 0 && last.python) return last.python;
  throw new Problem(last.error && last.message ? last.message : `${args[0]} failed:\n${lastLines(output, 12)}`);
}

/** @param {string} line */
function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
