import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ChromaConnection } from '../../src/adapters/vectors/chroma-calls.js';
import { freePorts } from '../fixtures/processes.js';
import { answersHttp, installedPeer, PeerProcess, temporaryFolder } from './peer-process.js';

const run = promisify(execFile);
const VERSION = '1.5.9';
const INSTALL_MS = 900_000;

/** The Python package; it is found by its path, since a virtual environment cannot be moved. */
const install = (): Promise<string> =>
  installedPeer(`chroma-${VERSION}`, async (folder) => {
    const args = ['-m', 'pip', 'install', '--quiet', '--target', folder, `chromadb==${VERSION}`];
    await run('python3', args, { timeout: INSTALL_MS });
  });

/** A ChromaDB on loopback, with a folder of its own. */
export class ChromaServer {
  private constructor(
    private readonly server: PeerProcess,
    private readonly folder: string,
    readonly connection: ChromaConnection,
  ) {}

  /** @param at the port, where somebody waits for it already */
  static async start(at?: number): Promise<ChromaServer> {
    const packages = await install();
    const folder = await temporaryFolder('chroma');
    const [port = 0] = at === undefined ? await freePorts(1) : [at];
    const program = 'from chromadb.cli.cli import app; app()';
    const server = await PeerProcess.start({
      name: 'ChromaDB',
      command: 'python3',
      args: ['-c', program, 'run', '--path', join(folder, 'data'), '--host', '127.0.0.1', '--port', String(port)],
      env: { PYTHONPATH: packages, ANONYMIZED_TELEMETRY: 'False' },
      ready: () => answersHttp(`http://127.0.0.1:${port}/api/v2/heartbeat`),
    });
    const place = { host: '127.0.0.1', port, ssl: false };
    const connection = { ...place, token: 'only-for-tests', tenant: 'default_tenant', database: 'default_database' };
    return new ChromaServer(server, folder, connection);
  }

  async dispose(): Promise<void> {
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
