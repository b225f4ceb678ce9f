import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import neo4j from 'neo4j-driver';
import type { Neo4jConnection } from '../../src/adapters/graph/neo4j-calls.js';
import { freePorts } from '../fixtures/processes.js';
import { eventually } from '../fixtures/waiting.js';
import { installedPeer, PeerProcess, temporaryFolder } from './peer-process.js';

const run = promisify(execFile);
const VERSION = '5.26.0';
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const INSTALL_MS = 900_000;
const LOGIN = { user: 'neo4j', password: 'only-for-tests' };
const OPENED = ['java.nio', 'java.io', 'sun.nio.ch', 'java.util.concurrent'];

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>clara</groupId><artifactId>peer</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>${VERSION}</version></dependency>
  </dependencies>
</project>`;

/** The server's own jars from Maven. */
const install = (): Promise<string> =>
  installedPeer(`neo4j-${VERSION}`, async (folder) => {
    await writeFile(join(folder, 'pom.xml'), POM);
    const args = ['-q', '-B', COPY, `-DoutputDirectory=${join(folder, 'lib')}`];
    await run('mvn', args, { cwd: folder, timeout: INSTALL_MS }).catch((error: Error) => {
      throw new Error(`Neo4j could not be fetched by Maven (needed: Java 17 and mvn): ${error.message}`);
    });
  });

const configuration = (bolt: number): string => `
server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:${bolt}
server.http.enabled=false
dbms.security.auth_enabled=true
dbms.usage_report.enabled=false
server.memory.heap.initial_size=256m
server.memory.heap.max_size=512m
server.memory.pagecache.size=64m
`;

/** A Neo4j Community server on loopback that asks for a login. */
export class Neo4jServer {
  private constructor(
    private readonly server: PeerProcess,
    private readonly folder: string,
    readonly connection: Neo4jConnection,
  ) {}

  static async start(): Promise<Neo4jServer> {
    const installed = await install();
    const folder = await temporaryFolder('neo4j');
    const [port = 0] = await freePorts(1);
    await mkdir(join(folder, 'conf'));
    await writeFile(join(folder, 'conf', 'neo4j.conf'), configuration(port));
    const server = await PeerProcess.start({
      name: 'Neo4j',
      command: 'java',
      args: [
        '-Xmx512m',
        // Less time for the compiler: a test server does not live long.
        '-XX:TieredStopAtLevel=1',
        ...OPENED.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
        '-cp',
        join(installed, 'lib', '*'),
        'org.neo4j.server.CommunityEntryPoint',
        `--home-dir=${folder}`,
        `--config-dir=${join(folder, 'conf')}`,
      ],
      ready: () => listens(port),
    });
    await eventually('Neo4j takes its password', () => setPassword(port).catch(() => false));
    const connection = { host: '127.0.0.1', port, ssl: false, database: 'neo4j', ...LOGIN };
    return new Neo4jServer(server, folder, connection);
  }

  /** Nodes of all kinds. */
  async count(): Promise<number> {
    const { port, user, password } = this.connection;
    const driver = neo4j.driver(`bolt://127.0.0.1:${port}`, neo4j.auth.basic(user, password));
    try {
      const { records } = await driver.executeQuery('MATCH (n) RETURN toString(count(n)) AS nodes');
      return Number(records[0]?.get('nodes'));
    } finally {
      await driver.close();
    }
  }

  async dispose(): Promise<void> {
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', end(true)).once('error', end(false));
  });

/** A new server wants another password before it does anything else. */
async function setPassword(port: number): Promise<true> {
  const driver = neo4j.driver(`bolt://127.0.0.1:${port}`, neo4j.auth.basic(LOGIN.user, 'neo4j'));
  try {
    const statement = 'ALTER CURRENT USER SET PASSWORD FROM $old TO $new';
    await driver.executeQuery(statement, { old: 'neo4j', new: LOGIN.password }, { database: 'system' });
    return true;
  } finally {
    await driver.close();
  }
}
