import { execFile } from 'node:child_process';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** promtool of this machine; where there is none, the one of Debian's package prometheus, unpacked beside the system. */
export async function promtool(): Promise<string> {
  const installed = await run('promtool', ['--version']).then(
    () => true,
    () => false,
  );
  if (installed) return 'promtool';
  const folder = join(tmpdir(), 'clara-test-promtool');
  const program = join(folder, 'usr/bin/promtool');
  if (!(await stat(program).catch(() => undefined))) await unpack(folder);
  return program;
}

async function unpack(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const options = ['-o', 'APT::Sandbox::User=root', 'download', 'prometheus'];
  try {
    await run('apt-get', options, { cwd: folder }).catch(async () => {
      await run('apt-get', ['update']);
      await run('apt-get', options, { cwd: folder });
    });
  } catch (error) {
    throw new Error('promtool is missing: install the package prometheus', { cause: error });
  }
  const archive = (await readdir(folder)).find((name) => name.endsWith('.deb')) ?? '';
  await run('dpkg', ['-x', join(folder, archive), folder]);
}
