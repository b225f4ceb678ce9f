import { mkdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';
import type { EmbeddedPostgresLog, EmbeddedPostgresOptions } from './embedded-postgres.types.js';
import { PostmasterControl } from './postmaster.js';
import type { ProcessTable } from './process-table.js';

/** One data folder with all that is needed to serve it; paths are absolute and without links. */
export interface Site {
  dataDir: string;
  clusterDir: string;
  binDir: string;
  uid: number | undefined;
  userNamespace: 'auto' | 'never';
  transport: 'socket' | 'tcp';
  startTimeoutMs: number;
  log: EmbeddedPostgresLog;
  processes: ProcessTable;
  control: PostmasterControl;
}

export async function openSite(options: EmbeddedPostgresOptions, processes: ProcessTable): Promise<Site> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const dataDir = await realpath(options.dataDir);
  const clusterDir = join(dataDir, 'cluster');
  return {
    dataDir,
    clusterDir,
    binDir: await realBinDir(options.binDir),
    uid: process.getuid?.(),
    userNamespace: options.userNamespace ?? 'auto',
    transport: options.transport ?? (process.platform === 'win32' ? 'tcp' : 'socket'),
    startTimeoutMs: options.startTimeoutMs ?? 60_000,
    log: options.log,
    processes,
    control: new PostmasterControl(dataDir, clusterDir, processes),
  };
}

async function realBinDir(binDir: string): Promise<string> {
  const program = join(binDir, process.platform === 'win32' ? 'postgres.exe' : 'postgres');
  await stat(program).catch((error: unknown) => {
    throw new EmbeddedPostgresError(
      'binaries',
      `there is no PostgreSQL in ${binDir} (${String(error)}): run "node scripts/install-postgres.mjs"`,
    );
  });
  return realpath(binDir);
}
