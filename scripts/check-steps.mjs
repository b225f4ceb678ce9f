import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './root.mjs';

/**
 * @typedef {{name: string, command: string, args: string[], fix?: string[], cwd?: string}} Step
 *   A step whose last line is `skipped: ...` did not pass, and did not fail.
 *   fix: the arguments that mend what can be mended
 */

/** @param {string[]} path */
const inModules = (...path) => join(root, 'node_modules', ...path);

/**
 * @param {string} name
 * @param {string} script
 * @param {string[]} args
 * @param {string[]} [fix]
 * @returns {Step}
 */
const node = (name, script, args, fix) => ({
  name,
  command: process.execPath,
  args: [script, ...args],
  ...(fix ? { fix: [script, ...fix] } : {}),
});

/** @returns {Step[]} the longest first */
function ofTypeScript() {
  const tsc = inModules('typescript', 'bin', 'tsc');
  const remembered = (/** @type {string} */ name) => [
    '--incremental',
    '--tsBuildInfoFile',
    inModules('.cache', `${name}.tsbuildinfo`),
  ];
  const code = ['src', 'test', 'scripts', 'bench', 'ormconfig.ts'].filter((path) => existsSync(join(root, path)));
  const oxlint = inModules('oxlint', 'bin', 'oxlint');
  const prettier = inModules('prettier', 'bin', 'prettier.cjs');
  return [
    node('types of the application and the tests', tsc, ['-p', 'tsconfig.json', ...remembered('application')]),
    node('types of the scripts', tsc, ['-p', 'scripts/tsconfig.json', ...remembered('scripts')]),
    node('types of the benchmarks', tsc, ['-p', 'bench/tsconfig.json', ...remembered('bench')]),
    node('lint', oxlint, ['--deny-warnings', ...code], ['--fix', ...code]),
    node('format', prettier, ['--check', '--log-level=warn', '.'], ['--write', '--log-level=warn', '.']),
    node('architecture', inModules('dependency-cruiser', 'bin', 'dependency-cruise.mjs'), [
      'src',
      'test',
      'ormconfig.ts',
    ]),
    node('dead code', inModules('knip', 'bin', 'knip.js'), ['--no-progress']),
    node('generated files', join(root, 'scripts', 'generate.mjs'), ['--check'], []),
    node('secrets', inModules('secretlint', 'bin', 'secretlint.js'), [
      '--secretlintignore',
      '.gitignore',
      '--maskSecrets',
      '**/*',
    ]),
    node('known vulnerabilities of the npm packages', join(root, 'scripts', 'dependency-audit.mjs'), ['npm']),
    node('compose files', inModules('dclint', 'bin', 'dclint.cjs'), [
      'compose.yaml',
      'compose.keycloak.yaml',
      '--max-warnings=0',
    ]),
  ];
}

/**
 * @param {string} python of the trainer's environment
 * @returns {Step[]}
 */
function ofTrainer(python) {
  const cwd = join(root, 'trainer');
  /** @type {(name: string, args: string[], fix?: string[]) => Step} */
  const step = (name, args, fix) => ({ name, command: python, args, cwd, ...(fix ? { fix } : {}) });
  return [
    step('types of the trainer', ['-m', 'mypy']),
    step('lint of the trainer', ['-m', 'ruff', 'check', '--quiet'], ['-m', 'ruff', 'check', '--quiet', '--fix']),
    step('format of the trainer', ['-m', 'ruff', 'format', '--check'], ['-m', 'ruff', 'format']),
    step('generated files of the trainer', ['generate_types.py', '--check'], ['generate_types.py']),
    node('known vulnerabilities of the Python packages', join(root, 'scripts', 'dependency-audit.mjs'), [
      'python',
      python,
    ]),
    { name: 'Dockerfile', command: join(dirname(python), 'hadolint'), args: ['Dockerfile'] },
  ];
}

/**
 * @param {string} python of the trainer's environment
 * @returns {Step[]}
 */
export const checkSteps = (python) => [...ofTypeScript(), ...ofTrainer(python)];
