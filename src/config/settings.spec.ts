import { securityWarnings } from './security-warnings.js';
import { readSettings, SettingsError, settingSpecs, unknownSettings } from './settings.js';

const ROOT = '/srv/clara';
const read = (env: Record<string, string> = {}) =>
  readSettings({ CLARA_SECURITY_MODE: 'debug', HOME: '/home/erika', ...env }, ROOT);

function problems(env: Record<string, string | undefined>): string[] {
  try {
    readSettings({ CLARA_SECURITY_MODE: 'debug', ...env }, ROOT);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems;
  }
}

describe('the security mode', () => {
  it.each([[undefined], [''], ['Debug'], ['debg'], ['prod'], ['production '], ['none'], ['false']])(
    '%j does not start',
    (mode) => {
      expect(problems({ CLARA_SECURITY_MODE: mode })).toEqual([expect.stringMatching(/^CLARA_SECURITY_MODE: /)]);
    },
  );

  it('that is unset or mistyped says what to do', () => {
    expect(problems({ CLARA_SECURITY_MODE: undefined })[0]).toContain('Set CLARA_SECURITY_MODE=debug');
    expect(problems({ CLARA_SECURITY_MODE: 'prod' })[0]).toContain('debug, development, production, testing');
  });

  it('that asks for tokens does not start without them', () => {
    for (const mode of ['development', 'production', 'testing'])
      expect(problems({ CLARA_SECURITY_MODE: mode, CLARA_JWT_ENABLED: 'false', CLARA_MTLS_ENABLED: '' })).toEqual(
        expect.arrayContaining([expect.stringMatching(/^CLARA_JWT_ENABLED: .* cannot do without tokens/)]),
      );
  });

  it('testing stays on this machine, as debug does', () => {
    expect(problems({ CLARA_SECURITY_MODE: 'testing', CLARA_HOST: '0.0.0.0' })).toEqual([
      expect.stringContaining('not a loopback address'),
    ]);
    expect(problems({ CLARA_SECURITY_MODE: 'development', CLARA_HOST: '0.0.0.0' })).toEqual([]);
  });

  it('production without mutual TLS stays on this machine, unless a TLS proxy is said to stand before it', () => {
    const env = { CLARA_SECURITY_MODE: 'production', CLARA_MTLS_ENABLED: 'false' };
    expect(problems(env)).toEqual([]);
    expect(problems({ ...env, CLARA_HOST: '10.0.0.5' })).toEqual([expect.stringContaining('speaks plain HTTP')]);
    expect(problems({ ...env, CLARA_HOST: '10.0.0.5', CLARA_ALLOW_PLAIN_HTTP: 'true' })).toEqual([]);
  });

  it('takes nothing that would silently be less than it says', () => {
    expect(problems({ CLARA_JWT_ALGORITHMS: 'none' })).toEqual([expect.stringContaining('RS256, ES256, EdDSA')]);
    expect(problems({ CLARA_JWT_ALGORITHMS: 'RS256,HS256' })).toHaveLength(1);
    expect(problems({ KEYCLOAK_URL: 'keycloak:8080' })).toEqual([expect.stringContaining('not an http or https')]);
    expect(problems({ CLARA_SECURITY_MODE: 'development', CLARA_MTLS_ENABLED: 'true' })).toHaveLength(1);
  });

  it('debug stays on this machine, unless somebody takes the responsibility', () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.5', 'example.org', '127.0.0.1.example.org'])
      expect(problems({ CLARA_HOST: host })).toEqual([expect.stringContaining('not a loopback address')]);
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost'])
      expect(problems({ CLARA_HOST: host })).toEqual([]);
    expect(problems({ CLARA_HOST: '0.0.0.0', CLARA_ALLOW_REMOTE_DEBUG: 'true' })).toEqual([]);
  });

  it('debug refuses to pretend that it checks anything', () => {
    expect(problems({ CLARA_JWT_ENABLED: 'true', CLARA_MTLS_ENABLED: 'true' })).toHaveLength(2);
    expect(problems({ CLARA_JWT_ENABLED: 'false' })).toEqual([]);
  });
});

describe('the problems of settings', () => {
  it('are listed all at once, also those that concern several settings', () => {
    const found = problems({
      CLARA_SECURITY_MODE: 'testing',
      KEYCLOAK_URL: 'nowhere',
      CLARA_TRAINING_PORT: '99999',
      CLARA_MAX_CONCURRENT_JOBS: '0',
      CLARA_LOG_LEVEL: 'loud',
      CLARA_HOST: '0.0.0.0',
      CLARA_MAIN_PORT: '5000',
      CLARA_DATASET_PORT: '5000',
    });
    const names = ['TRAINING_PORT', 'MAX_CONCURRENT_JOBS', 'LOG_LEVEL', 'HOST', 'DATASET_PORT'];
    expect(found.map((line) => line.split(':')[0] ?? '').toSorted()).toEqual(
      [...names.map((name) => `CLARA_${name}`), 'KEYCLOAK_URL'].toSorted(),
    );
  });

  it('stand in one message, a line each', () => {
    const error = new SettingsError(['a: x', 'b: y']);
    expect(error.message).toBe('The settings have 2 problem(s):\n  - a: x\n  - b: y');
  });

  it.each([
    ['CLARA_MAX_CONCURRENT_JOBS', ['1', '64'], ['0', '65', '1.5', 'two', '1e400']],
    ['CLARA_JOB_TIMEOUT_MINUTES', ['0.05', '120'], ['0', '-1', 'never']],
    ['CLARA_LEASE_SECONDS', ['1', '2.5'], ['0', '0.5']],
    ['CLARA_RETRY_DELAY_SECONDS', ['0', '0.1'], ['-1']],
    ['CLARA_STOP_WORKERS', ['auto', 'keep', 'end'], ['kill']],
    ['CLARA_TRAINING_PORT', ['1', '65535'], ['-1', '65536', 'http']],
  ])('%s takes %j and refuses %j', (name, good, bad) => {
    for (const value of good) expect(problems({ [name]: value })).toEqual([]);
    for (const value of bad) expect(problems({ [name]: value })).toEqual([expect.stringContaining(name)]);
  });
});

describe('the settings', () => {
  it('take an empty variable as an unset one', () => {
    const empty = Object.fromEntries(
      Object.keys(settingSpecs)
        .filter((name) => name !== 'CLARA_SECURITY_MODE')
        .map((name) => [name, '']),
    );
    expect(read(empty)).toEqual(read());
  });

  it("have the original's defaults", () => {
    expect(read()).toMatchObject({
      http: {
        host: '127.0.0.1',
        ports: { main: 45678, ingestion: 45679, training: 45680, dataset: 45681, serving: 45682, metrics: 9310 },
      },
      postgres: undefined,
      training: { maxConcurrentJobs: 2, cancelGraceSeconds: 8, orphanSeconds: undefined },
    });
  });

  it('take relative folders from the root, and leave absolute ones', () => {
    const { folders } = read({
      CLARA_DATA_DIR: 'elsewhere',
      CLARA_LOG_DIR: '/var/log/clara',
      CLARA_CONFIG_DIRS: 'configs, /etc/clara ,',
    });
    expect(folders).toMatchObject({
      data: '/srv/clara/elsewhere',
      logs: '/var/log/clara',
      configs: ['/srv/clara/configs', '/etc/clara'],
    });
  });

  it('find the cache folder as the user has it', () => {
    expect(read({ XDG_CACHE_HOME: '/x' }).folders.cache).toBe('/x/clara');
    expect(read({ XDG_CACHE_HOME: '/x', CLARA_CACHE_DIR: '/y' }).folders.cache).toBe('/y');
    expect(read().folders.cache).toMatch(/\.cache\/clara$/);
  });

  it('can leave out the metrics port', () => {
    expect(read({ CLARA_METRICS_HTTP: '0' }).http.ports).not.toHaveProperty('metrics');
  });

  it('name an outside PostgreSQL by its host', () => {
    expect(read({ UDS3_POSTGRES_HOST: 'db', UDS3_POSTGRES_PASSWORD: 's' }).postgres).toEqual({
      host: 'db',
      port: 5432,
      user: 'clara',
      password: 's',
      database: 'clara',
    });
  });

  it('report what looks like a setting and is none', () => {
    expect(unknownSettings({ CLARA_TRAINIG_PORT: '1', UDS3_POSTGRES_HOST: 'x', PATH: '/bin', UDS3_X: '' })).toEqual([
      'CLARA_TRAINIG_PORT',
      'UDS3_X',
    ]);
  });

  it('each say what they are for', () => {
    for (const spec of Object.values(settingSpecs))
      expect(String((spec as { desc?: string }).desc)).toMatch(/^[A-Z].*[.)]$/s);
  });
});

describe('the settings of the audit trail', () => {
  const production = { CLARA_SECURITY_MODE: 'production', CLARA_MTLS_ENABLED: 'false' };

  it('keep one in every mode but debug, and there on request', () => {
    expect(read().audit.enabled).toBe(false);
    expect(read({ CLARA_AUDIT_ENABLED: 'true' }).audit.enabled).toBe(true);
    for (const mode of ['development', 'testing']) expect(read({ CLARA_SECURITY_MODE: mode }).audit.enabled).toBe(true);
    expect(read(production).audit.enabled).toBe(true);
    expect(read({ CLARA_SECURITY_MODE: 'development', CLARA_AUDIT_ENABLED: 'false' }).audit.enabled).toBe(false);
  });

  it('do not let production start without it', () =>
    expect(problems({ ...production, CLARA_AUDIT_ENABLED: 'false' })).toEqual([
      expect.stringContaining('CLARA_AUDIT_ENABLED: production mode cannot do without'),
    ]));

  it.each([['0'], ['30'], ['1095']])('take %s days', (days) =>
    expect(problems({ CLARA_AUDIT_DAYS: days })).toEqual([]),
  );

  it.each([['1'], ['29'], ['-1'], ['1.5'], ['ever']])('do not take %s days', (days) =>
    expect(problems({ CLARA_AUDIT_DAYS: days })).toEqual([expect.stringMatching(/^CLARA_AUDIT_DAYS: /)]),
  );
});

describe('the roles in an outside PostgreSQL', () => {
  const outside = { UDS3_POSTGRES_HOST: 'db', UDS3_POSTGRES_USER: 'app', UDS3_POSTGRES_PASSWORD: 'a' };
  const owner = { UDS3_POSTGRES_OWNER_USER: 'owner', UDS3_POSTGRES_OWNER_PASSWORD: 'o' };
  const warnings = (env: Record<string, string>) =>
    securityWarnings(read({ CLARA_SECURITY_MODE: 'development', ...env }));

  it('are one where no owner is named, which is warned of', () => {
    expect(read(outside).postgres).toMatchObject({ user: 'app', password: 'a', app: undefined });
    expect(warnings(outside)).toEqual([expect.stringContaining('ONE DATABASE USER: app owns the audit trail')]);
    expect(warnings({})).toEqual([]);
  });

  it('are two where an owner is named', () => {
    expect(read({ ...outside, ...owner }).postgres).toMatchObject({
      user: 'owner',
      password: 'o',
      app: { user: 'app', password: 'a' },
    });
    expect(warnings({ ...outside, ...owner })).toEqual([]);
  });

  it('are named together, apart, and for an outside one alone', () => {
    expect(problems({ ...outside, UDS3_POSTGRES_OWNER_USER: 'app' })).toEqual([expect.stringContaining('"app" is')]);
    expect(problems({ ...outside, UDS3_POSTGRES_OWNER_PASSWORD: 'o' })).toEqual([
      expect.stringContaining('there is no UDS3_POSTGRES_OWNER_USER'),
    ]);
    expect(problems(owner)).toEqual([expect.stringContaining('set UDS3_POSTGRES_HOST')]);
    expect(problems({ UDS3_POSTGRES_OWNER_PASSWORD: 'hush' }).join()).not.toContain('hush');
  });
});
