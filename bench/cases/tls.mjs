import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { root } from '../../scripts/root.mjs';
import { applicationEnvironment, freePorts, stopProcess, untilHealthy } from '../application.mjs';
import { spread } from '../figures.mjs';

export const title = 'GET /health by plain HTTP, TLS and mutual TLS, in one process';
export const usage = '--rounds N (3) --seconds N (4)';

const CONNECTIONS = 50;
/** New connections at a time. */
const DIALERS = 10;

const EXTENSIONS = `[leaf]
basicConstraints=critical,CA:false
extendedKeyUsage=serverAuth,clientAuth
subjectAltName=DNS:localhost,IP:127.0.0.1
`;

/** An outside CA, made by openssl: ECDSA P-256 throughout. */
function makeCertificates(folder) {
  const path = (name) => join(folder, name);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  mkdirSync(folder, { recursive: true });
  writeFileSync(path('leaf.cnf'), EXTENSIONS);
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    path('ca.key'),
    '-out',
    path('ca.pem'),
    '-subj',
    '/CN=Bench',
    '-days',
    '2',
  );
  for (const name of ['server', 'client']) {
    openssl('req', '-new', ...key, '-keyout', path(`${name}.key`), '-out', path(`${name}.csr`), '-subj', `/CN=${name}`);
    const signing = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial', '-days', '2'];
    const extensions = ['-extfile', path('leaf.cnf'), '-extensions', 'leaf'];
    openssl('x509', '-req', '-in', path(`${name}.csr`), ...signing, ...extensions, '-out', path(`${name}.pem`));
  }
  return { path, read: (name) => readFileSync(path(name), 'utf8') };
}

/** The application in production; its metrics port speaks plain HTTP on loopback. */
async function startProduction(folder, certificates, closing) {
  const [publicPort, probePort] = await freePorts(2);
  const env = await applicationEnvironment(folder, {
    CLARA_SECURITY_MODE: 'production',
    CLARA_PUBLIC_PORT: String(publicPort),
    CLARA_PROBE_PORT: String(probePort),
    SERVICE_CERT_PATH: certificates.path('server.pem'),
    SERVICE_KEY_PATH: certificates.path('server.key'),
    CA_CERT_PATH: certificates.path('ca.pem'),
  });
  mkdirSync(folder, { recursive: true });
  const output = openSync(join(folder, 'application.out'), 'a');
  const child = spawn(process.execPath, [join(root, 'dist', 'src', 'main.js')], {
    cwd: root,
    env,
    stdio: ['ignore', output, output],
  });
  closing(() => stopProcess(child));
  await untilHealthy(`http://127.0.0.1:${env.CLARA_METRICS_PORT}`, child);
  const ca = certificates.read('ca.pem');
  const client = { cert: certificates.read('client.pem'), key: certificates.read('client.key') };
  return [
    { name: 'plain HTTP', url: `http://127.0.0.1:${env.CLARA_METRICS_PORT}/health`, tls: {} },
    { name: 'TLS', url: `https://127.0.0.1:${publicPort}/health`, tls: { ca } },
    { name: 'mutual TLS', url: `https://127.0.0.1:${env.CLARA_TRAINING_PORT}/health`, tls: { ca, ...client } },
  ];
}

/** Requests per second over connections that stay open. */
async function keepAlive({ url, tls }, seconds) {
  const result = await autocannon({ url, connections: CONNECTIONS, duration: seconds, tlsOptions: tls });
  const { requests, errors, timeouts, non2xx } = result;
  if (errors + timeouts + non2xx > 0) throw new Error(`${url}: ${errors + timeouts + non2xx} requests failed`);
  return requests.average;
}

/** One request over a connection of its own. */
function dial({ url, tls }) {
  const get = url.startsWith('https') ? getSecure : getPlain;
  return new Promise((resolve, reject) => {
    const answered = (response) => response.resume().once('end', resolve).once('error', reject);
    get(url, { agent: false, ...tls }, answered).once('error', reject);
  });
}

/** New connections per second, each with one request. */
async function handshakes(side, seconds) {
  const end = performance.now() + seconds * 1000;
  let done = 0;
  const dialer = async () => {
    for (; performance.now() < end; done += 1) await dial(side);
  };
  await Promise.all(Array.from({ length: DIALERS }, dialer));
  return done / seconds;
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const rounds = Number(options.rounds ?? 3);
  const seconds = Number(options.seconds ?? 4);
  const certificates = makeCertificates(join(folder, 'certificates'));
  const sides = await startProduction(join(folder, 'application'), certificates, closing);
  const results = new Map(sides.map(({ name }) => [name, { kept: [], fresh: [] }]));
  for (const side of sides) await keepAlive(side, 1);
  for (let round = 0; round < rounds; round += 1)
    for (const side of sides) {
      const kept = await keepAlive(side, seconds);
      const fresh = await handshakes(side, seconds);
      results.get(side.name).kept.push(kept);
      results.get(side.name).fresh.push(fresh);
      say(`${side.name}: ${kept.toFixed(0)} requests/s, ${fresh.toFixed(0)} new connections/s`);
    }
  const figures = [...results].flatMap(([name, { kept, fresh }]) => [
    { name: `${name}, requests over ${CONNECTIONS} connections`, unit: '/s', ...spread(kept) },
    { name: `${name}, new connections with one request`, unit: '/s', ...spread(fresh) },
  ]);
  return {
    figures,
    setup: [
      `One process in production mode with an embedded PostgreSQL; autocannon (1 worker), ${CONNECTIONS} connections, ${rounds} alternating rounds of ${seconds} s; ${DIALERS} dialers for new connections; all share the cores.`,
      'Plain HTTP is the metrics port on loopback. ECDSA P-256, TLS 1.3; no session is resumed.',
    ],
  };
}
