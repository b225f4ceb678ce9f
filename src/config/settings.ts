import { cpus, homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { EnvMissingError, bool, cleanEnv, port, str } from 'envalid';
import { adapterSpecs, adaptersOf } from './adapter-settings.js';
import { auditOf, auditProblems, auditSpecs } from './audit-settings.js';
import { embedderOf, embedderProblems, embedderSpecs } from './embedder-settings.js';
import { datasetOf, datasetSpecs } from './dataset-settings.js';
import { gatewayOf, gatewaySpecs } from './gateway-settings.js';
import { isSecret, list } from './setting-kinds.js';
import { SecretMask } from '../kernel/secret-mask.js';
import { fileSetting, withSecretFiles } from './secret-files.js';
import { ingestionOf, ingestionProblems, ingestionSpecs } from './ingestion-settings.js';
import { limitProblems, limitSpecs, limitsOf } from './limit-settings.js';
import { servingOf, servingProblems, servingSpecs } from './serving-settings.js';
import { securityOf, securityProblems, securitySpecs } from './security-settings.js';
import { openAiOf, openAiSpecs } from './openai-settings.js';
import { ocrOf, ocrSpecs } from './ocr-settings.js';
import { parserOf, parserSpecs } from './parser-settings.js';
import { isEnabled as pkiEnabled, pkiOf, pkiProblems, pkiSpecs } from './pki-settings.js';
import { postgresOf, postgresProblems, postgresSpecs } from './postgres-settings.js';
import { trainingOf, trainingSpecs } from './training-settings.js';
import { storeProblems, storeSpecs, storesOf } from './store-settings.js';
import { writerOf, writerProblems, writerSpecs } from './writer-settings.js';
import { closedPorts, tlsOf, tlsProblems, tlsSpecs } from './tls-settings.js';

/** Every problem of the environment, one line each. */
export class SettingsError extends Error {
  constructor(readonly problems: string[]) {
    super(`The settings have ${problems.length} problem(s):\n${problems.map((line) => `  - ${line}`).join('\n')}`);
  }
}

/** One entry a setting: the only list of them; docs/SETTINGS.md is generated from it. */
export const settingSpecs = {
  ...securitySpecs,
  ...tlsSpecs,
  ...pkiSpecs,
  ...auditSpecs,
  ...limitSpecs,
  ...ingestionSpecs,
  ...parserSpecs,
  ...ocrSpecs,
  ...datasetSpecs,
  ...gatewaySpecs,
  ...writerSpecs,
  ...adapterSpecs,

  CLARA_HOST: str({
    default: '127.0.0.1',
    desc: 'Address the service ports bind to. Debug and testing mode bind loopback only.',
  }),
  CLARA_MAIN_PORT: port({ default: 45678, desc: 'Port of the main service.' }),
  CLARA_INGESTION_PORT: port({ default: 45679, desc: 'Port of the ingestion service.' }),
  CLARA_TRAINING_PORT: port({ default: 45680, desc: 'Port of the training service.' }),
  CLARA_DATASET_PORT: port({ default: 45681, desc: 'Port of the dataset service.' }),
  CLARA_SERVING_PORT: port({ default: 45682, desc: 'Port of the serving service.' }),
  CLARA_METRICS_HTTP: bool({ default: true, desc: 'Serve Prometheus metrics on CLARA_METRICS_PORT.' }),
  CLARA_METRICS_PORT: port({ default: 9310, desc: 'Port of the metrics service.' }),
  CLARA_CORS_ORIGINS: list({
    default: undefined,
    desc: 'Origins that browsers may call from, separated by commas. Unset: every loopback origin in debug mode, else none.',
  }),

  ...postgresSpecs,
  ...embedderSpecs,
  ...storeSpecs,

  CLARA_DATA_DIR: str({ default: 'data', desc: 'Folder of everything that must last: database, runs, adapters.' }),
  CLARA_CACHE_DIR: str({
    default: undefined,
    desc: 'Folder of what can be installed again: trainer environment, PostgreSQL binaries, default base model. Unset: clara in the cache folder of the user.',
  }),
  CLARA_LOG_DIR: str({ default: 'logs', desc: 'Folder of training_backend.log.' }),
  CLARA_LOG_LEVEL: str({
    choices: ['debug', 'info', 'warn', 'error'],
    default: 'info',
    desc: 'Least severity that is logged.',
  }),
  CLARA_CONFIG_DIRS: list({ default: ['configs'], desc: 'Folders that config_path may point into.' }),
  CLARA_DATASET_DIRS: list({
    default: ['data-samples'],
    desc: 'Folders, besides the data folder, that dataset_path may point into.',
  }),
  CLARA_MODEL_DIRS: list({ default: ['models'], desc: 'Folders, besides the data folder, that hold base models.' }),

  ...trainingSpecs,
  ...servingSpecs,
  ...openAiSpecs,
};

type Env = Readonly<Record<string, string | undefined>>;

const secretNames: readonly string[] = Object.entries(settingSpecs)
  .filter(([, spec]) => isSecret(spec))
  .map(([name]) => name);

function readEnv(withoutFiles: Env, root: string) {
  const { env, problems } = withSecretFiles(withoutFiles, secretNames, root);
  // An empty variable, as compose files and shells leave it, is an unset one.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const cleaned = cleanEnv(given, settingSpecs, {
    reporter: ({ errors }) => {
      for (const [name, error] of Object.entries(errors))
        problems.push(
          error instanceof EnvMissingError ? missing(name) : `${name}: ${error?.message ?? 'is not valid'}`,
        );
    },
  });
  return { problems, read: { ...cleaned }, secrets: secretNames.flatMap((name) => env[name] ?? []) };
}

function missing(name: string): string {
  if (name !== 'CLARA_SECURITY_MODE') return `${name}: is missing`;
  return (
    `${name}: is not set, so nothing starts. Set CLARA_SECURITY_MODE=debug for local work (no security, loopback only), ` +
    'development (tokens, plain HTTP) or production'
  );
}

type Read = ReturnType<typeof readEnv>['read'];

const rules = (read: Read): string[] => [
  ...securityProblems(read),
  ...tlsProblems(read),
  ...pkiProblems(read, tlsOf(read).mutual),
  ...auditProblems(read),
  ...limitProblems(read),
  ...ingestionProblems(read),
  ...postgresProblems(read),
  ...embedderProblems(read),
  ...storeProblems(read),
  ...servingProblems(read),
  ...writerProblems(read),
  ...portClashes(read),
];

function portClashes(read: Read): string[] {
  const owners = new Map<number, string>();
  const closed = [...closedPorts(read), ...(pkiEnabled(read, tlsOf(read).mutual) ? [] : ['CLARA_PKI_PORT'])];
  const names = Object.keys(settingSpecs).filter(
    (name) => /^CLARA_\w+_PORT$/.test(name) && !closed.includes(name),
  ) as (keyof Read)[];
  return names.flatMap((name) => {
    const value = read[name];
    if (typeof value !== 'number') return [];
    const other = owners.get(value);
    owners.set(value, name);
    return other === undefined ? [] : [`${name}: port ${value} is the one of ${other} already`];
  });
}

/** Names that look like settings and are none: most often a typing error. */
export function unknownSettings(env: Env): string[] {
  const known = new Set([...Object.keys(settingSpecs), ...secretNames.map(fileSetting)]);
  return Object.keys(env).filter((name) => /^(CLARA|UDS3)_/.test(name) && !known.has(name));
}

const http = (read: Read) => ({
  host: read.CLARA_HOST,
  corsOrigins: read.CLARA_CORS_ORIGINS ?? (read.CLARA_SECURITY_MODE === 'debug' ? undefined : []),
  ports: {
    main: read.CLARA_MAIN_PORT,
    ingestion: read.CLARA_INGESTION_PORT,
    training: read.CLARA_TRAINING_PORT,
    dataset: read.CLARA_DATASET_PORT,
    serving: read.CLARA_SERVING_PORT,
    ...(read.CLARA_METRICS_HTTP ? { metrics: read.CLARA_METRICS_PORT } : {}),
  },
});

const folderIn =
  (root: string) =>
  (path: string): string =>
    isAbsolute(path) ? path : resolve(root, path);

function folders(read: Read, env: Env, root: string) {
  const folder = folderIn(root);
  const caches = env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const cache = read.CLARA_CACHE_DIR ?? join(caches, 'clara');
  return {
    data: folder(read.CLARA_DATA_DIR),
    cache: folder(cache),
    /** Where the hub's own libraries keep what they downloaded. */
    hub: folder(env['HF_HUB_CACHE'] || join(env['HF_HOME'] || join(caches, 'huggingface'), 'hub')),
    logs: folder(read.CLARA_LOG_DIR),
    configs: read.CLARA_CONFIG_DIRS.map(folder),
    datasets: read.CLARA_DATASET_DIRS.map(folder),
    models: read.CLARA_MODEL_DIRS.map(folder),
    trainer: join(root, 'trainer'),
  };
}

/**
 * Reads and checks the environment.
 * @param env the process environment
 * @param root folder that relative paths start from
 * @throws SettingsError naming every problem at once
 */
export function readSettings(env: Env, root: string) {
  const { problems, read, secrets } = readEnv(env, root);
  const all = [...problems, ...rules(read)];
  if (all.length > 0) throw new SettingsError(all);
  const tls = tlsOf(read);
  return {
    root,
    /** Takes the secrets among these settings out of a text. */
    mask: new SecretMask(secrets),
    security: securityOf(read),
    tls,
    pki: pkiOf(read, tls.mutual),
    audit: auditOf(read),
    limits: limitsOf(read),
    ingestion: ingestionOf(read, folderIn(root)),
    parser: parserOf(read),
    ocr: ocrOf(read),
    datasets: datasetOf(read),
    gateway: gatewayOf(read, folderIn(root)),
    writer: writerOf(read),
    adapters: adaptersOf(read),
    http: http(read),
    postgres: postgresOf(read),
    embedder: embedderOf(read, cpus().length),
    stores: storesOf(read),
    folders: folders(read, env, root),
    logLevel: read.CLARA_LOG_LEVEL,
    training: trainingOf(read, cpus().length),
    serving: servingOf(read, cpus().length),
    openai: openAiOf(read),
  } as const;
}

type SettingsShape = ReturnType<typeof readSettings>;

/** The settings as a class, so that Nest can inject them by type. */
export abstract class Settings implements SettingsShape {
  abstract readonly root: SettingsShape['root'];
  abstract readonly mask: SettingsShape['mask'];
  abstract readonly security: SettingsShape['security'];
  abstract readonly tls: SettingsShape['tls'];
  abstract readonly pki: SettingsShape['pki'];
  abstract readonly audit: SettingsShape['audit'];
  abstract readonly limits: SettingsShape['limits'];
  abstract readonly ingestion: SettingsShape['ingestion'];
  abstract readonly parser: SettingsShape['parser'];
  abstract readonly ocr: SettingsShape['ocr'];
  abstract readonly datasets: SettingsShape['datasets'];
  abstract readonly gateway: SettingsShape['gateway'];
  abstract readonly writer: SettingsShape['writer'];
  abstract readonly adapters: SettingsShape['adapters'];
  abstract readonly http: SettingsShape['http'];
  abstract readonly postgres: SettingsShape['postgres'];
  abstract readonly embedder: SettingsShape['embedder'];
  abstract readonly stores: SettingsShape['stores'];
  abstract readonly folders: SettingsShape['folders'];
  abstract readonly logLevel: SettingsShape['logLevel'];
  abstract readonly training: SettingsShape['training'];
  abstract readonly serving: SettingsShape['serving'];
  abstract readonly openai: SettingsShape['openai'];
}
