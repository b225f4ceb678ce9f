import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../fixtures/processes.js';
import { root } from '../fixtures/trainer.js';
import { eventually } from '../fixtures/waiting.js';
import { installKeycloak } from './keycloak-install.js';

const REALM = 'vcc';
const CLIENT = 'clara-training-system';
const AUTOMATION = 'clara-automation';
const ADMIN = { username: 'test-admin', password: 'only-for-tests' };
/** The first start of a copy also builds it: minutes on a busy machine. */
const STARTED_MS = 480_000;
const ANSWERED_MS = 60_000;
const ENDED_MS = 30_000;

export interface Tokens {
  access_token: string;
  refresh_token: string;
  id_token: string;
}

interface Key {
  kid: string;
  use: string;
  algorithm: string;
  providerId: string;
}

type Fields = Record<string, string>;

/** Keycloak in development mode with the realm that is shipped, on loopback. */
export class Keycloak {
  #server: ChildProcess | undefined;
  #output = '';

  private constructor(
    readonly folder: string,
    private readonly port: number,
  ) {}

  static async start(): Promise<Keycloak> {
    const installed = await installKeycloak();
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'clara-keycloak-')));
    const [port = 0] = await freePorts(1);
    const made = new Keycloak(folder, port);
    try {
      await cp(installed, folder, { recursive: true });
      await mkdir(join(folder, 'data', 'import'), { recursive: true });
      await cp(join(root, 'deploy/keycloak/vcc-realm.json'), join(folder, 'data/import/vcc-realm.json'));
      await made.up();
    } catch (error) {
      await made.dispose();
      throw error;
    }
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get issuer(): string {
    return `${this.url}/realms/${REALM}`;
  }

  /** The settings that name it. */
  get env(): Fields {
    return { KEYCLOAK_URL: this.url, KEYCLOAK_REALM: REALM, KEYCLOAK_CLIENT_ID: CLIENT };
  }

  async up(): Promise<void> {
    const args = ['start-dev', '--import-realm', '--http-host=127.0.0.1', `--http-port=${this.port}`];
    const own = Object.entries(process.env).filter(([name]) => !/^(KC|KEYCLOAK|JAVA_OPTS)/.test(name));
    const env = {
      ...Object.fromEntries(own),
      // Less time for the compiler; another garbage collector than its own does not start.
      JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1',
      KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN.username,
      KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
    };
    const program = join(this.folder, 'bin/kc.sh');
    // kc.sh starts Java as its child: as a group of their own, one signal ends both.
    const server = spawn(program, [...args, `--hostname=${this.url}`], { cwd: this.folder, env, detached: true });
    this.#server = server;
    for (const stream of [server.stdout, server.stderr])
      stream.on('data', (part: Buffer) => (this.#output = (this.#output + part.toString()).slice(-8000)));
    await eventually('Keycloak answers', () => this.#answers(server), STARTED_MS).catch((error: Error) => {
      throw new Error(`${error.message}; Keycloak wrote:\n${this.#output}`);
    });
  }

  async #answers(server: ChildProcess): Promise<boolean> {
    if (hasEnded(server)) throw new Error('Keycloak ended instead of starting');
    return fetch(`${this.issuer}/.well-known/openid-configuration`, { signal: AbortSignal.timeout(5000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  async down(): Promise<void> {
    const server = this.#server;
    if (!server?.pid || hasEnded(server)) return;
    const group = -server.pid;
    const ended = once(server, 'close');
    const timer = setTimeout(() => process.kill(group, 'SIGKILL'), ENDED_MS);
    process.kill(group, 'SIGTERM');
    await ended;
    clearTimeout(timer);
  }

  async dispose(): Promise<void> {
    await this.down();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Tokens of the demo user that has this role. */
  passwordTokens(role: string): Promise<Tokens> {
    const user = { username: `demo-${role}`, password: `only-for-demos-${role}` };
    return this.#token(REALM, { grant_type: 'password', client_id: CLIENT, scope: 'openid', ...user });
  }

  /** The access token of a demo user. */
  async accessToken(role: string): Promise<string> {
    return (await this.passwordTokens(role)).access_token;
  }

  /** The access token of a demo user, from a client that gives it only so many seconds. */
  async shortToken(role: string, seconds: number): Promise<string> {
    const client = await this.client(CLIENT);
    const lifespan = async (value: string) =>
      this.admin('PUT', `clients/${client.id}`, {
        ...client,
        attributes: { ...(client['attributes'] as Fields), 'access.token.lifespan': value },
      });
    await lifespan(String(seconds));
    const token = await this.accessToken(role);
    await lifespan('');
    return token;
  }

  /** The token of the administrator, from the realm beside. */
  async masterToken(): Promise<string> {
    const grant = { grant_type: 'password', client_id: 'admin-cli', ...ADMIN };
    return (await this.#token('master', grant)).access_token;
  }

  async logout({ refresh_token }: Tokens): Promise<void> {
    const response = await fetch(`${this.issuer}/protocol/openid-connect/logout`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: CLIENT, refresh_token }),
      signal: AbortSignal.timeout(ANSWERED_MS),
    });
    if (!response.ok) throw new Error(`Keycloak did not log out (${response.status}): ${await response.text()}`);
  }

  /** The access token of a program: of the client that is shipped, with the secret that its import made. */
  async serviceToken(clientId = AUTOMATION): Promise<string> {
    const { id } = await this.client(clientId);
    const { value } = await this.admin<{ value: string }>('GET', `clients/${id}/client-secret`);
    const grant = { grant_type: 'client_credentials', client_id: clientId, client_secret: value };
    return (await this.#token(REALM, grant)).access_token;
  }

  async client(clientId: string): Promise<Record<string, unknown> & { id: string }> {
    const [found] = await this.admin<(Record<string, unknown> & { id: string })[]>(
      'GET',
      `clients?clientId=${clientId}`,
    );
    if (!found) throw new Error(`the realm has no client ${clientId}`);
    return found;
  }

  /** The key that signs access tokens now. */
  async signingKey(): Promise<Key> {
    const { keys, active } = await this.admin<{ keys: Key[]; active: Fields }>('GET', 'keys');
    const key = keys.find(({ kid }) => kid === active['RS256']);
    if (!key) throw new Error('the realm has no active RS256 key');
    return key;
  }

  /** A new key of higher priority: it signs from now on, the ones before are still published. */
  async rotateKey(): Promise<void> {
    const { id } = await this.admin<{ id: string }>('GET', '');
    const config = { priority: [String(Date.now())], enabled: ['true'], active: ['true'], algorithm: ['RS256'] };
    const providerType = 'org.keycloak.keys.KeyProvider';
    await this.admin('POST', 'components', {
      name: `rotated-${Date.now()}`,
      providerId: 'rsa-generated',
      providerType,
      parentId: id,
      config,
    });
  }

  /** Published no longer. */
  async disableKey({ providerId }: Key): Promise<void> {
    const component = await this.admin<{ config: Record<string, string[]> }>('GET', `components/${providerId}`);
    const config = { ...component.config, enabled: ['false'], active: ['false'] };
    await this.admin('PUT', `components/${providerId}`, { ...component, config });
  }

  /** A call of the admin API below the realm. */
  async admin<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/admin/realms/${REALM}${path === '' ? '' : `/${path}`}`, {
      method,
      headers: { authorization: `Bearer ${await this.masterToken()}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWERED_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Keycloak answered ${response.status} to ${method} ${path}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async #token(realm: string, fields: Fields): Promise<Tokens> {
    const response = await fetch(`${this.url}/realms/${realm}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams(fields),
      signal: AbortSignal.timeout(ANSWERED_MS),
    });
    if (!response.ok) throw new Error(`Keycloak gave no token (${response.status}): ${await response.text()}`);
    return (await response.json()) as Tokens;
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;
