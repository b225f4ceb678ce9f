import { execFile } from 'node:child_process';
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../src/kernel/errors.js';
import { installedPeer } from './peer-process.js';

const run = promisify(execFile);
const MODULE = 'github.com/ollama/ollama';
const VERSION = '0.17.4';
/** Modules of Go leave out folders named vendor, and with them these headers; another package ships the same. */
const HEADERS = 'llama-cpp-python==0.3.36';
const BUILD_MS = 2_400_000;
const SHOWN = 2000;
const OUTPUT_BYTES = 64 * 1024 * 1024;
const GO_PLACES = ['/usr/local/go/bin', '/usr/lib/go/bin'];
const NEEDED =
  'the suite builds it from its Go module, for which Go 1.24 or newer (`go` in PATH or /usr/local/go/bin), gcc, g++ and the network must be there';

const UNPACK = `
import sys, tarfile
with tarfile.open(sys.argv[1]) as archive:
    for member in archive.getmembers():
        _, found, name = member.name.partition("/vendor/llama.cpp/vendor/")
        if found and member.isfile():
            member.name = name
            archive.extract(member, sys.argv[2])
`;

/** Ollama itself, without parts for graphics cards (36 MB); built once, in some minutes. @returns its program */
export async function ollamaProgram(): Promise<string> {
  const folder = await installedPeer(`ollama-${VERSION}`, async (work) => {
    const temporary = join(work, 'build');
    const go = await goProgram();
    await mkdir(temporary);
    await build(temporary, await headers(temporary), go);
    await rename(join(temporary, 'bin', 'ollama'), join(work, 'ollama'));
    await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
  }).catch((error: unknown) => {
    throw new Error(`Ollama ${VERSION} could not be built: ${NEEDED}\n${messageOf(error).slice(-SHOWN)}`);
  });
  return join(folder, 'ollama');
}

async function goProgram(): Promise<string> {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), ...GO_PLACES].filter((place) => place !== '');
  for (const place of places) {
    const program = join(place, 'go');
    const isThere = await access(program).then(
      () => true,
      () => false,
    );
    if (isThere) return program;
  }
  throw new Error('there is no program go');
}

/** @returns folder of the headers */
async function headers(folder: string): Promise<string> {
  const [package_, include] = [join(folder, 'package'), join(folder, 'include')];
  await mkdir(include);
  const args = ['--quiet', '--no-deps', '--no-binary', 'llama-cpp-python', '--dest', package_, HEADERS];
  await run('python3', ['-m', 'pip', 'download', ...args], { timeout: BUILD_MS });
  const [archive = ''] = await readdir(package_);
  await run('python3', ['-c', UNPACK, join(package_, archive), include], { timeout: BUILD_MS });
  return include;
}

async function build(folder: string, include: string, go: string): Promise<void> {
  const version = `-X ${MODULE}/version.Version=${VERSION}`;
  await run(go, ['install', '-ldflags', `-s -w ${version}`, `${MODULE}@v${VERSION}`], {
    cwd: folder,
    timeout: BUILD_MS,
    maxBuffer: OUTPUT_BYTES,
    env: {
      ...process.env,
      GOPATH: join(folder, 'go'),
      GOMODCACHE: join(folder, 'modules'),
      GOCACHE: join(folder, 'cache'),
      GOBIN: join(folder, 'bin'),
      // Else its modules cannot be removed any more.
      GOFLAGS: '-modcacherw',
      GOTOOLCHAIN: 'local',
      CGO_ENABLED: '1',
      CGO_CFLAGS: '-O2 -g0',
      CGO_CXXFLAGS: `-O2 -g0 -I${include}`,
    },
  });
}
