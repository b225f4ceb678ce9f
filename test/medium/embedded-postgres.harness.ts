import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';
import pg from 'pg';
import { installPostgres } from '../../scripts/install-postgres.mjs';
import { EmbeddedPostgres } from '../../src/adapters/postgres/embedded/embedded-postgres.js';
import type {
  EmbeddedPostgresConnection,
  EmbeddedPostgresOptions,
} from '../../src/adapters/postgres/embedded/embedded-postgres.types.js';
import { PostmasterControl } from '../../src/adapters/postgres/embedded/postmaster.js';
import { ProcessTable } from '../../src/adapters/postgres/embedded/process-table.js';
import { clusterName } from '../../src/adapters/postgres/embedded/socket-folder.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const table = ProcessTable.ofThisMachine();

export const isRoot = process.getuid?.() === 0;

type Options = Partial<EmbeddedPostgresOptions> & { signal?: AbortSignal };

/** Data folders below one temporary folder; at the end no server of them may be left. */
export class PostgresBench {
  private readonly dataDirs = new Set<string>();

  private constructor(
    readonly folder: string,
    readonly binDir: string,
  ) {}

  static async open(): Promise<PostgresBench> {
    const { binDir } = await installPostgres();
    return new PostgresBench(await mkdtemp(join(tmpdir(), 'clara-pg-')), binDir);
  }

  dataDir(name: string): string {
    const dataDir = join(this.folder, name, 'postgres');
    this.dataDirs.add(dataDir);
    return dataDir;
  }

  options(dataDir: string, more: Options = {}): EmbeddedPostgresOptions & { signal?: AbortSignal } {
    return { dataDir, binDir: this.binDir, log: { info: () => undefined, warn: () => undefined }, ...more };
  }

  async start(
    dataDir: string,
    more: Options = {},
  ): Promise<{ server: EmbeddedPostgres; connection: EmbeddedPostgresConnection }> {
    const server = new EmbeddedPostgres();
    return { server, connection: await server.start(this.options(dataDir, more)) };
  }

  /** Stops what a failed test left, and removes the folder. */
  async close(): Promise<void> {
    for (const dataDir of this.dataDirs) {
      const control = new PostmasterControl(dataDir, join(dataDir, 'cluster'), table);
      const state = await control.inspect();
      if (state.kind === 'alive') await control.shutdown(state.postmaster);
    }
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** One query on a connection of its own. */
export async function query<Row extends pg.QueryResultRow>(
  connection: EmbeddedPostgresConnection,
  sql: string,
): Promise<Row[]> {
  const client = new pg.Client(connection);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

export async function postmasterPid(dataDir: string): Promise<number> {
  return Number((await readFile(join(dataDir, 'cluster', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

/** Every process of a data folder: the postmaster and those that carry its name in their title. */
export async function processesOf(dataDir: string): Promise<string[]> {
  const title = `postgres: ${clusterName(dataDir)}: `;
  const all = await table.list();
  return all
    .map(({ command }) => command)
    .filter((command) => command.startsWith(title) || command.endsWith(` -D ${join(dataDir, 'cluster')}`));
}

export async function waitFor(what: string, ask: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

/** The adapter as plain JavaScript, for processes of their own. */
export async function buildAdapter(folder: string): Promise<string> {
  for (const part of ['postgres/embedded', 'host']) await buildPart(part, join(folder, part));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const owner = join(folder, 'postgres/embedded/owner.js');
  await writeFile(owner, OWNER);
  return owner;
}

async function buildPart(part: string, folder: string): Promise<void> {
  const source = join(root, 'src/adapters', part);
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(source)) {
    if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
    const { code } = await transform(await readFile(join(source, name), 'utf8'), {
      filename: name,
      jsc: { parser: { syntax: 'typescript', decorators: true }, target: 'es2023' },
      module: { type: 'es6' },
    });
    await writeFile(join(folder, name.replace(/\.ts$/, '.js')), code);
  }
}

// An application that starts the server, says so, and lives on; as another user when asked.
const OWNER = `
import { EmbeddedPostgres } from './embedded-postgres.js';
const { uid, end, ...options } = JSON.parse(process.argv[2]);
if (uid !== undefined) { process.setgroups([]); process.setgid(uid); process.setuid(uid); }
const log = { info() {}, warn() {} };
const say = (line) => process.stdout.write(JSON.stringify(line) + '\\n');
const server = new EmbeddedPostgres();
try {
  say({ connection: await server.start({ ...options, log }) });
} catch (error) {
  say({ error: error.message, problem: error.problem });
}
if (end === 'stop') await server.stop();
else setInterval(() => undefined, 1000);
`;

interface OwnerLine {
  connection?: EmbeddedPostgresConnection;
  error?: string;
  problem?: string;
}

interface Owner {
  pid: number;
  /** The first line it says. */
  line: Promise<OwnerLine>;
  ended: Promise<unknown>;
  kill(): Promise<void>;
}

export function startOwner(program: string, options: Record<string, unknown>): Owner {
  const child = spawn(process.execPath, [program, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: '/',
  });
  const ended = once(child, 'exit');
  const line = once(createInterface({ input: child.stdout }), 'line').then(
    ([text]) => JSON.parse(String(text)) as OwnerLine,
  );
  line.catch(() => undefined);
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { pid: child.pid ?? 0, line, ended, kill };
}
