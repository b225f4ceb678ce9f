import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Problem } from './problem.mjs';
import { lastLines, runProgram } from './program.mjs';

const SETTINGS = ['ormconfig.ts', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'package-lock.json'];

/**
 * The files that the build is made of, and one hash of all of them.
 * @param {string} root
 */
function sources(root) {
  const code = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.spec.ts'))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));
  const hash = createHash('sha256');
  const ordered = [...code, ...SETTINGS].toSorted((one, other) => (one < other ? -1 : 1));
  for (const path of ordered)
    hash
      .update(path)
      .update('\0')
      .update(readFileSync(join(root, path)));
  return { code, hash: hash.digest('hex') };
}

/** @param {string} root */
const stamp = (root) => join(root, 'dist', '.sources');

/** @param {string} root */
export function buildIsCurrent(root) {
  if (!existsSync(join(root, 'dist', 'src', 'main.js')) || !existsSync(stamp(root))) return false;
  return readFileSync(stamp(root), 'utf8') === sources(root).hash;
}

/**
 * @param {string} root
 * @throws Problem
 */
export async function build(root) {
  const { code, hash } = sources(root);
  rmSync(stamp(root), { force: true });
  // Without outputs the compiler's memory of what it wrote would leave them out.
  if (!existsSync(join(root, 'dist', 'src', 'main.js'))) rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true });
  const nest = join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  const { code: status, output } = await runProgram(process.execPath, [nest, 'build'], { cwd: root });
  if (status !== 0) throw new Problem(`The build failed:\n${lastLines(output, 40)}`);
  removeLeftOvers(root, new Set(code));
  writeFileSync(stamp(root), hash);
}

/**
 * Outputs whose source is gone, a removed migration for one, must not live on.
 * @param {string} root
 * @param {Set<string>} code
 */
function removeLeftOvers(root, code) {
  for (const entry of readdirSync(join(root, 'dist', 'src'), { recursive: true, withFileTypes: true })) {
    const source = /^(.*)\.js(\.map)?$/.exec(entry.name);
    if (!entry.isFile() || !source) continue;
    const folder = entry.parentPath ?? entry.path;
    if (!code.has(join(relative(join(root, 'dist'), folder), `${source[1]}.ts`))) rmSync(join(folder, entry.name));
  }
}
