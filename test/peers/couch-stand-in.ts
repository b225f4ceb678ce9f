import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CouchConnection } from '../../src/adapters/documents/couch-calls.js';
import { freePorts } from '../fixtures/processes.js';
import { answersHttp, installedPeer, PeerProcess, temporaryFolder } from './peer-process.js';

const run = promisify(execFile);
const PACKAGES = ['express@4.21.2', 'express-pouchdb@4.2.0', 'pouchdb@9.0.0'];
const INSTALL_MS = 600_000;
const LOGIN = { user: 'clara', password: 'only-for-tests' };

/** No package carries CouchDB; this speaks its protocol (documents, revisions, conflicts, attachments), behind a login. */
const PROGRAM = `
const express = require('express');
const pouch = require('express-pouchdb');
const PouchDB = require('pouchdb').defaults({ prefix: process.argv[1] });
const login = 'Basic ' + Buffer.from(process.argv[3]).toString('base64');
const app = express();
app.get('/_ready', (request, response) => response.json({ ready: true }));
app.use((request, response, next) => {
  if (request.headers.authorization === login) {
    delete request.headers.authorization;
    return next();
  }
  response.status(401).json({ error: 'unauthorized', reason: 'Name or password is incorrect.' });
});
app.use('/', pouch(PouchDB, { mode: 'fullCouchDB', inMemoryConfig: true, overrideMode: { exclude: ['routes/fauxton'] } }));
app.listen(Number(process.argv[2]), '127.0.0.1');
`;

const install = (): Promise<string> =>
  installedPeer('couch-stand-in-4.2.0', async (folder) => {
    await writeFile(join(folder, 'package.json'), '{"private": true}');
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...PACKAGES];
    await run('npm', args, { cwd: folder, timeout: INSTALL_MS });
  });

/** The stand-in on loopback, with a folder of its own. */
export class CouchStandIn {
  private constructor(
    private readonly server: PeerProcess,
    private readonly folder: string,
    readonly connection: CouchConnection,
  ) {}

  static async start(): Promise<CouchStandIn> {
    const installed = await install();
    const folder = await temporaryFolder('couch');
    const [port = 0] = await freePorts(1);
    const { user, password } = LOGIN;
    const server = await PeerProcess.start({
      name: 'The stand-in for CouchDB',
      command: process.execPath,
      args: ['-e', PROGRAM, `${folder}/`, String(port), `${user}:${password}`],
      cwd: installed,
      ready: () => answersHttp(`http://127.0.0.1:${port}/_ready`),
    });
    const connection = { host: '127.0.0.1', port, ssl: false, database: 'clara', ...LOGIN };
    return new CouchStandIn(server, folder, connection);
  }

  async dispose(): Promise<void> {
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
