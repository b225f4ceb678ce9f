import { request as httpRequest } from 'node:http';
import { rolePermissions, roles, type Permission } from '../../src/modules/security/permissions.js';
import { App } from '../fixtures/app.js';
import { badTokens } from '../fixtures/bad-tokens.js';
import { Issuer } from '../fixtures/issuer.js';
import { Jobs } from '../fixtures/jobs.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

interface Operation {
  'x-permission'?: Permission;
  'x-access'?: string;
}
interface Route extends Operation {
  method: string;
  path: string;
}
type Api = { paths: Record<string, Record<string, Operation>> };

const NOBODY = '/api/training/jobs/list';
const ANY_ID = 'b5f7a3f0-1111-4222-8333-444455556666';

describe('tokens in development mode', () => {
  let issuer: Issuer;
  let app: App;
  let routes: Route[];

  beforeAll(async () => {
    issuer = await Issuer.start();
    app = await App.start({ env: { CLARA_SECURITY_MODE: 'development', ...issuer.env } });
    const { body } = await app.call<Api>('GET', '/openapi.json');
    routes = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path: path.replaceAll(/\{\w+\}/g, ANY_ID),
        ...operation,
      })),
    );
  });
  afterAll(async () => {
    await app.dispose();
    await issuer.stop();
  });

  const bearer = async (...of: Parameters<Issuer['token']>) => ({
    authorization: `Bearer ${await issuer.token(...of)}`,
  });

  /** Node's own client, which sends a header twice where it is a list. */
  const answerTo = (header: string | string[]) =>
    new Promise<{ status: number; challenge: string; body: string }>((resolve, reject) => {
      const options = { port: app.ports.TRAINING, path: NOBODY, headers: { host: 'localhost', authorization: header } };
      const call = httpRequest({ host: '127.0.0.1', ...options } as never, (response) => {
        let body = '';
        response.on('data', (part: Buffer) => (body += part.toString()));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, challenge: response.headers['www-authenticate'] ?? '', body }),
        );
      });
      call.on('error', reject).end();
    });

  it('refuses every one of the attack list with 401, the challenge and the reason, and tells nothing of the token', async () => {
    const list = await badTokens(issuer);
    expect(list.length).toBeGreaterThanOrEqual(60);
    const found: unknown[] = [];
    for (const { name, header, detail } of list) {
      const { status, challenge, body } = await answerTo(header);
      const said = String((JSON.parse(body) as { detail: string }).detail);
      const ok = status === 401 && detail.test(said) && challenge.startsWith('Bearer realm="clara"');
      const token = String(header).split(' ').at(-1) ?? '';
      const leaks = token.length > 20 && (body.includes(token) || app.output.includes(token));
      if (!ok || leaks) found.push([name, status, said, leaks]);
    }
    expect(found).toEqual([]);
  });

  it('takes a good token, and names what is missing without one', async () => {
    expect((await app.call('GET', NOBODY, { headers: await bearer() })).status).toBe(200);
    const without = await app.call<{ detail: string }>('GET', NOBODY);
    expect([without.status, without.body.detail]).toEqual([401, 'Missing authentication credentials']);
    expect(without.headers.get('www-authenticate')).toBe('Bearer realm="clara"');
  });

  it('takes no token from an address or a body of a route', async () => {
    const token = await issuer.token();
    for (const name of ['access_token', 'token', 'ticket'])
      expect((await app.call('GET', `${NOBODY}?${name}=${token}`)).status).toBe(401);
    expect((await app.call('POST', '/api/training/jobs', { body: { access_token: token } })).status).toBe(401);
  });

  it('declares on every route what it asks for, and refuses whoever does not have it, role by role', async () => {
    const found: unknown[] = [];
    for (const route of routes) {
      const permission = route['x-permission'];
      if (!permission && !route['x-access']) found.push([route.path, 'declares nothing']);
      if (!permission) continue;
      const nobody = await app.call(route.method, route.path, route.method === 'GET' ? {} : { body: {} });
      if (nobody.status !== 401) found.push([route.method, route.path, 'without a token', nobody.status]);
      for (const role of roles) {
        const headers = await bearer({ roles: [role] });
        const { status, body } = await app.call<{ detail?: string; error?: { message: string } }>(
          route.method,
          route.path,
          {
            headers,
            body: undefined,
          },
        );
        const allowed = rolePermissions[role].includes(permission);
        const refused =
          status === 403 && /Required roles \(any\): \[admin/.test(body.error?.message ?? body.detail ?? '');
        if (allowed === refused || status === 401 || status >= 500)
          found.push([route.method, route.path, role, status, body.detail]);
      }
    }
    expect(found).toEqual([]);
    expect(routes.filter((route) => route['x-permission']).length).toBeGreaterThan(12);
  });

  it('gives no role to a token without one, and none of another client', async () => {
    for (const claims of [
      { roles: [] },
      { realm_access: undefined, resource_access: { other: { roles: ['admin'] } } },
      { realm_access: { roles: 'admin' } },
      { realm_access: { roles: ['ADMIN', 'administrator'] } },
      { realm_access: null, roles: ['admin'] },
    ])
      expect((await app.call('GET', NOBODY, { headers: await bearer(claims as never) })).status).toBe(403);
    const ofClient = { realm_access: undefined, resource_access: { 'clara-training-system': { roles: ['trainer'] } } };
    expect((await app.call('GET', NOBODY, { headers: await bearer(ofClient) })).status).toBe(200);
  });

  it('lets trainers change jobs of their own, and admins all', async () => {
    const [owner, other, admin, analyst] = await Promise.all([
      bearer({ sub: 'owner', roles: ['trainer'] }),
      bearer({ sub: 'other', roles: ['trainer'] }),
      bearer({ sub: 'boss', roles: ['admin'] }),
      bearer({ sub: 'analyst', roles: ['analyst'] }),
    ]);
    app.token = await issuer.token({ sub: 'owner', roles: ['trainer'] });
    const jobs = new Jobs(app);
    const id = await jobs.post({ data: { steps: 600, seconds: 600 } });
    app.token = undefined;
    const path = `/api/training/jobs/${id}`;
    const ask = async (method: string, headers: Record<string, string>, suffix = '') =>
      app.call<{ detail?: string; data?: { created_by: string } }>(method, `${path}${suffix}`, {
        headers,
        ...(method === 'PATCH' ? { body: { tags: ['x'] } } : {}),
      });
    expect((await ask('GET', analyst)).body.data?.created_by).toBe('owner');
    for (const [method, suffix] of [['PATCH'], ['DELETE'], ['POST', '/cancel'], ['POST', '/retry']] as const) {
      const { status, body } = await ask(method, other, suffix);
      expect([method, status, body.detail]).toEqual([method, 403, expect.stringContaining('is not yours')]);
    }
    expect((await ask('PATCH', owner)).status).toBe(200);
    expect((await ask('PATCH', admin)).status).toBe(200);
    expect((await ask('DELETE', admin)).status).toBe(200);
    const auditor = await bearer({ sub: 'auditor', roles: ['auditor'] });
    const rows = async (query: string) =>
      (
        await app.call<{ rows: { actor: string; action: string }[] }>('GET', `/api/audit?${query}&target_id=${id}`, {
          headers: auditor,
        })
      ).body.rows;
    await eventually('the refusals are recorded', async () => (await rows('outcome=refused')).length === 3);
    expect(new Set((await rows('outcome=refused')).map(({ actor }) => actor))).toEqual(new Set(['other']));
    expect((await rows('outcome=done')).map(({ actor, action }) => `${actor} ${action}`)).toEqual([
      'boss training.job.cancel',
      'boss training.job.change',
      'owner training.job.change',
      'owner training.job.create',
    ]);
  });

  it('makes personal tokens that are shown once, have their scopes only, and end when they are revoked', async () => {
    const erika = await bearer({ sub: 'erika', roles: ['trainer'] });
    const wish = { name: 'nightly', scopes: ['training:read'], expires_in_days: 1 };
    const made = await app.call<{ id: string; token: string }>('POST', '/api/tokens', { headers: erika, body: wish });
    expect([made.status, made.body.token]).toEqual([201, expect.stringMatching(/^clara_pat_[\w-]{43}$/)]);
    const own = { authorization: `Bearer ${made.body.token}` };
    expect((await app.call('GET', NOBODY, { headers: own })).status).toBe(200);
    expect((await app.call('POST', '/api/training/jobs', { headers: own, body: {} })).status).toBe(403);
    expect((await app.call('POST', '/api/tokens', { headers: own, body: wish })).status).toBe(403);
    const listed = await app.call('GET', '/api/tokens', { headers: erika });
    expect(JSON.stringify(listed.body)).toContain(made.body.id);
    expect(JSON.stringify(listed.body)).not.toContain(made.body.token);
    expect(app.output).not.toContain(made.body.token);
    const max = await bearer({ sub: 'max', roles: ['trainer'] });
    expect((await app.call('DELETE', `/api/tokens/${made.body.id}`, { headers: max })).status).toBe(404);
    expect(JSON.stringify((await app.call('GET', '/api/tokens', { headers: max })).body)).not.toContain(made.body.id);
    expect((await app.call('GET', '/api/tokens?all=true', { headers: max })).status).toBe(403);
    expect((await app.call('DELETE', `/api/tokens/${made.body.id}`, { headers: erika })).status).toBe(204);
    expect((await app.call('GET', NOBODY, { headers: own })).status).toBe(401);
  });

  it('makes no personal token that can more than its owner, or lives too long', async () => {
    const headers = await bearer({ roles: ['analyst'] });
    const post = async (body: object) => (await app.call('POST', '/api/tokens', { headers, body })).status;
    expect(await post({ name: 'x', scopes: ['training:create'] })).toBe(403);
    expect(await post({ name: 'x', scopes: ['tokens:own'] })).toBe(422);
    expect(await post({ name: 'x', scopes: [] })).toBe(422);
    expect(await post({ name: '', scopes: ['training:read'] })).toBe(422);
    expect(await post({ name: 'x', scopes: ['training:read'], expires_in_days: 366 })).toBe(422);
    expect(await post({ name: 'x', scopes: ['training:read'], expires_in_days: 0 })).toBe(422);
  });

  it('asks the issuer once for many unknown keys', async () => {
    const before = issuer.fetches;
    const unknown = await Promise.all(
      Array.from({ length: 50 }, (_, index) => issuer.token({}, { kid: `nobody-${index}` })),
    );
    await Promise.all(
      unknown.map((token) => app.call('GET', NOBODY, { headers: { authorization: `Bearer ${token}` } })),
    );
    expect(issuer.fetches - before).toBeLessThanOrEqual(1);
  });

  it('goes on with the keys it knows while the issuer is away', async () => {
    await issuer.stop();
    expect((await app.call('GET', NOBODY, { headers: await bearer({ sub: 'new' }) })).status).toBe(200);
    await issuer.listen();
  });

  it('opens the metrics to this machine, and to nobody whom a proxy passes on', async () => {
    expect((await app.call('GET', '/metrics')).status).toBe(200);
    const passedOn = { 'x-forwarded-for': '127.0.0.1' };
    expect((await app.call('GET', '/metrics', { headers: passedOn })).status).toBe(401);
    const asked = async (role: 'user' | 'auditor') =>
      (await app.call('GET', '/metrics', { headers: { ...passedOn, ...(await bearer({ roles: [role] })) } })).status;
    expect([await asked('user'), await asked('auditor')]).toEqual([403, 200]);
  });
});

describe('the other modes', () => {
  const unsigned = (claims: object) =>
    ['{"alg":"none"}', JSON.stringify(claims), ''].map((part) => Buffer.from(part).toString('base64url')).join('.');
  const inAnHour = Math.floor(Date.now() / 1000) + 3600;

  it('testing believes any signature, and counts roles and the end', async () => {
    const app = await App.start({ env: { CLARA_SECURITY_MODE: 'testing' } });
    try {
      const call = async (claims: object | undefined, method = 'GET', path = NOBODY) => {
        const headers = claims ? { authorization: `Bearer ${unsigned(claims)}` } : {};
        return (await app.call(method, path, { headers, ...(method === 'POST' ? { body: {} } : {}) })).status;
      };
      const user = { realm_access: { roles: ['user'] }, exp: inAnHour };
      expect(await call(undefined)).toBe(401);
      expect(await call(user)).toBe(200);
      expect(await call({ ...user, exp: 1 })).toBe(401);
      expect(await call({ realm_access: { roles: ['user'] } })).toBe(401);
      expect(await call({ exp: inAnHour })).toBe(403);
      expect(await call(user, 'POST', '/api/training/jobs')).toBe(403);
      expect(await call({ ...user, realm_access: { roles: ['trainer'] } }, 'POST', '/api/training/jobs')).toBe(422);
      expect(app.output).toContain('TESTING MODE');
      expect((await app.call<string>('GET', '/docs')).body).toContain('Testing mode');
    } finally {
      await app.dispose();
    }
  });

  it('development answers 503 while the issuer never gave a key, and closes the API pages by setting', async () => {
    const env = { CLARA_SECURITY_MODE: 'development', KEYCLOAK_URL: 'http://127.0.0.1:9', CLARA_DOCS_OPEN: 'false' };
    const app = await App.start({ env });
    const issuer = await Issuer.start();
    try {
      const headers = { authorization: `Bearer ${await issuer.token()}` };
      const answer = await app.call<{ detail: string }>('GET', NOBODY, { headers });
      expect([answer.status, answer.body.detail]).toEqual([
        503,
        expect.stringContaining('Authentication service unavailable'),
      ]);
      expect((await app.call('GET', '/health')).status).toBe(200);
      for (const path of ['/docs', '/redoc', '/openapi.json']) expect((await app.call('GET', path)).status).toBe(401);
    } finally {
      await issuer.stop();
      await app.dispose();
    }
  });
});
