import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { defaultCacheDir } from '../../scripts/install-postgres.mjs';
import { oneAtATime } from '../../scripts/one-at-a-time.mjs';

const run = promisify(execFile);
const VERSION = '26.7.3';
const ARTIFACT = `org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`;
const ARCHIVE = `keycloak-quarkus-dist-${VERSION}.zip`;
const SHA256 = '27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f';
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';
const DOWNLOAD_MS = 600_000;

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Keycloak's own distribution in the cache folder, put there once over all processes; nothing is ever started in it. */
export async function installKeycloak(): Promise<string> {
  const target = join(defaultCacheDir(), `keycloak-${VERSION}`);
  if (await exists(target)) return target;
  return oneAtATime(`${target}.lock`, {}, async () => {
    if (!(await exists(target))) await install(target);
    return target;
  });
}

async function install(target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(`${target}.`);
  try {
    const archive = await download(work);
    // The trainer needs a Python anyway, and not every machine has unzip; it does not keep the right to execute.
    await run('python3', ['-m', 'zipfile', '-e', archive, work]);
    const home = join(work, `keycloak-${VERSION}`);
    await chmod(join(home, 'bin', 'kc.sh'), 0o755);
    await rename(home, target);
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function download(folder: string): Promise<string> {
  const args = ['-q', '-B', '-C', COPY, `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${folder}`];
  await run('mvn', args, { cwd: folder, timeout: DOWNLOAD_MS }).catch((error: Error) => {
    throw new Error(`Keycloak could not be fetched by Maven (needed: Java 17 and mvn): ${error.message}`);
  });
  const archive = join(folder, ARCHIVE);
  const hash = createHash('sha256');
  await pipeline(createReadStream(archive), hash);
  const found = hash.digest('hex');
  if (found !== SHA256)
    throw new Error(`${ARCHIVE} has the SHA-256 ${found} instead of ${SHA256}; it was not installed`);
  return archive;
}
