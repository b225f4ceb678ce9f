#!/usr/bin/env node
// Puts node-llama-cpp with the binary of this platform into the cache: `node scripts/install-llamacpp.mjs`, or installLlamacpp().
import { access, copyFile, mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultCacheDir } from './install-postgres.mjs';
import { oneAtATime } from './one-at-a-time.mjs';
import { lastLines, runProgram } from './program.mjs';

const INSTALL_MS = 600_000;
const here = join(dirname(fileURLToPath(import.meta.url)), 'llamacpp');
const LIBRARY = 'node-llama-cpp';
const BINARIES = '@node-llama-cpp/';

/**
 * Makes `<cacheDir>/llamacpp-<version>` once; several processes at the same time are fine, the first one wins. Packages,
 * versions and hashes stand in scripts/llamacpp/package-lock.json; of the binaries only the one for CPUs of this platform is taken.
 * @param {{cacheDir?: string, onProgress?: (line: string) => void}} [options]
 * @returns {Promise<string>} its folder
 * @throws Error whose reader can mend it
 */
export async function installLlamacpp(options = {}) {
  const manifest = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));
  const cacheDir = resolve(options.cacheDir ?? defaultCacheDir());
  const target = join(cacheDir, `llamacpp-${manifest.dependencies[LIBRARY]}`);
  if (await exists(target)) return target;
  const binary = binaryOf(manifest);
  await oneAtATime(`${target}.lock`, {}, async () => {
    if (await exists(target)) return;
    options.onProgress?.(`installing llama.cpp into ${target}`);
    // Whoever holds the lock is alone here: what is there was left by one that was killed.
    const work = `${target}.partial`;
    await rm(work, { recursive: true, force: true, maxRetries: 3 });
    await mkdir(work, { recursive: true });
    try {
      await writeManifests(work, manifest, binary);
      await npmCi(work);
      await rename(work, target);
    } finally {
      await rm(work, { recursive: true, force: true, maxRetries: 3 });
    }
  });
  return target;
}

function binaryOf(manifest) {
  const name = `${BINARIES}${process.platform}-${process.arch}`;
  const known = Object.keys(manifest.optionalDependencies);
  if (known.includes(name)) return name;
  const platforms = known.map((one) => one.slice(BINARIES.length)).join(', ');
  throw new Error(
    `no llama.cpp is known for ${process.platform}-${process.arch}, only for ${platforms}; take CLARA_SERVING_ENGINE=embedded, ollama or vllm`,
  );
}

/** The lock names a binary for every platform; one of them is wanted. */
async function writeManifests(work, manifest, binary) {
  const lock = JSON.parse(await readFile(join(here, 'package-lock.json'), 'utf8'));
  const only = { [binary]: manifest.optionalDependencies[binary] };
  const isOther = (path) => path.startsWith(`node_modules/${BINARIES}`) && path !== `node_modules/${binary}`;
  const packages = Object.fromEntries(Object.entries(lock.packages).filter(([path]) => !isOther(path)));
  packages[''] = { ...packages[''], optionalDependencies: only };
  await writeFile(join(work, 'package.json'), JSON.stringify({ ...manifest, optionalDependencies: only }));
  await writeFile(join(work, 'package-lock.json'), JSON.stringify({ ...lock, packages }));
  const npmrc = join(work, '.npmrc');
  await copyFile(join(here, '..', '..', '.npmrc'), npmrc).catch(() => undefined);
}

async function npmCi(work) {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const others = Object.entries(process.env).filter(([name]) => !/^(CLARA|UDS3|KEYCLOAK|VCC)_/.test(name));
  const signal = AbortSignal.timeout(INSTALL_MS);
  const { code, output } = await runProgram('npm', args, { cwd: work, env: Object.fromEntries(others), signal });
  if (code === 0) return;
  const how = signal.aborted ? `not done after ${INSTALL_MS / 1000} s` : `code ${code}`;
  throw new Error(
    `llama.cpp could not be installed with npm, which must be there and needs the network (${how}):\n${lastLines(output, 6)}`,
  );
}

async function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function main() {
  try {
    console.log(await installLlamacpp({ onProgress: (line) => console.error(line) }));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

if (process.argv[1] && (await realpath(process.argv[1]).catch(() => '')) === fileURLToPath(import.meta.url))
  await main();
