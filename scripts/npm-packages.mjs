import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from './problem.mjs';
import { runProgram } from './program.mjs';

const marker = (/** @type {string} */ root) => join(root, 'node_modules', '.clara-packages');

/**
 * Whether node_modules is what package-lock.json says.
 * @param {string} root
 */
export async function packagesAreInstalled(root) {
  const lock = await readFile(join(root, 'package-lock.json'), 'utf8');
  const wanted = fingerprint(lock);
  if ((await readFile(marker(root), 'utf8').catch(() => '')) === wanted) return true;
  // Installed by hand, with `npm ci` or `npm install`: npm's own record of the tree tells.
  const present = await readFile(join(root, 'node_modules', '.package-lock.json'), 'utf8').catch(() => undefined);
  if (present === undefined || !holdsAll(JSON.parse(lock).packages, JSON.parse(present).packages)) return false;
  await writeFile(marker(root), wanted);
  return true;
}

/** @param {string} lock */
function fingerprint(lock) {
  return createHash('sha256').update(`${process.platform} ${process.arch}\0${lock}`).digest('hex');
}

/**
 * @param {Record<string, {version: string, optional?: boolean}>} wanted
 * @param {Record<string, {version: string}>} present
 */
export function holdsAll(wanted, present) {
  const different = Object.entries(wanted).filter(([path, { version, optional }]) => {
    if (path === '' || (optional && !present[path])) return false;
    return present[path]?.version !== version;
  });
  return different.length === 0 && Object.keys(present).every((path) => path in wanted);
}

/**
 * @param {string} root
 * @throws Problem
 */
export async function installPackages(root) {
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const result = npm?.endsWith('.js')
    ? await runProgram(process.execPath, [npm, ...args], { cwd: root })
    : await runProgram('npm', args, { cwd: root });
  if (result.code !== 0) throw explain(result.output);
  await writeFile(marker(root), fingerprint(await readFile(join(root, 'package-lock.json'), 'utf8')));
}

/** @param {string} output */
function explain(output) {
  const end = output
    .split('\n')
    .filter((line) => line !== 'npm error')
    .slice(0, 12)
    .join('\n');
  if (/ENOSPC/.test(output)) return new Problem(`The disk is full: npm packages need about 500 MB.\n${end}`);
  if (/ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH/.test(output))
    return new Problem(
      `The npm registry cannot be reached. Check the network, or name a mirror in npm_config_registry.\n${end}`,
    );
  if (/EACCES|EPERM|EROFS/.test(output))
    return new Problem(`node_modules cannot be written. Run as the user who owns this folder.\n${end}`);
  return new Problem(`npm ci failed:\n${end}`);
}
