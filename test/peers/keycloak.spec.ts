import { decodeJwt, decodeProtectedHeader } from 'jose';
import { App, type Answer } from '../fixtures/app.js';
import { Jobs } from '../fixtures/jobs.js';
import { eventually } from '../fixtures/waiting.js';
import { Keycloak } from './keycloak.js';

import.meta.jest.setTimeout(900_000);

type Problem = { detail: string };

const JOBS = '/api/training/jobs';
const CREATES = ['admin', 'trainer'];
const ROLES = ['admin', 'trainer', 'analyst', 'user', 'auditor'];

describe('Keycloak with the realm that is shipped', () => {
  let keycloak: Keycloak;
  let app: App;

  beforeAll(async () => {
    keycloak = await Keycloak.start();
    app = await App.start({
      env: {
        ...keycloak.env,
        CLARA_SECURITY_MODE: 'development',
        CLARA_JWT_LEEWAY_SECONDS: '0',
        CLARA_RATE_LIMIT_FAILED_TOKENS_PER_MINUTE: '0',
        CLARA_RATE_LIMIT_JOBS_PER_MINUTE: '0',
        // No disk is large enough: the jobs wait.
        CLARA_MIN_FREE_DISK_MB: '10000000',
      },
    });
  });
  afterAll(async () => {
    await app?.dispose();
    await keycloak?.dispose();
  });

  const ask = <T = Problem>(token: string, method: string, path: string, body?: unknown): Promise<Answer<T>> =>
    app.call<T>(method, path, { headers: { authorization: `Bearer ${token}` }, body });

  const list = (token: string) => ask(token, 'GET', `${JOBS}/list`);

  const post = async (token: string) =>
    ask<Problem & { job_id: string; data: { created_by: string } }>(token, 'POST', JOBS, await new Jobs(app).request());

  const refusal = ({ status, body, headers }: Answer<Problem>) => ({
    status,
    detail: body.detail,
    challenge: headers.get('www-authenticate'),
  });

  const invalid = (detail: RegExp) => ({
    status: 401,
    detail: expect.stringMatching(detail),
    challenge: expect.stringMatching(/^Bearer realm="clara", error="invalid_token"/),
  });

  it('asks for a token', async () => {
    expect(refusal(await app.call<Problem>('GET', `${JOBS}/list`))).toEqual({
      status: 401,
      detail: 'Missing authentication credentials',
      challenge: 'Bearer realm="clara"',
    });
    expect((await app.call('GET', '/health')).status).toBe(200);
  });

  it.each(ROLES)('gives %s a token of a quarter of an hour for CLARA alone', async (role) => {
    const token = await keycloak.accessToken(role);
    const claims = decodeJwt(token);
    expect(decodeProtectedHeader(token).alg).toBe('RS256');
    expect(claims).toMatchObject({
      iss: keycloak.issuer,
      aud: 'clara-training-system',
      typ: 'Bearer',
      realm_access: { roles: [role] },
    });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(900);
  });

  it.each(ROLES)('lets %s do what the role may, and names the roles for the rest', async (role) => {
    const token = await keycloak.accessToken(role);
    expect((await list(token)).status).toBe(200);
    const created = await post(token);
    if (CREATES.includes(role)) {
      expect(created).toMatchObject({ status: 200, body: { data: { created_by: decodeJwt(token).sub } } });
      expect((await ask(token, 'DELETE', `${JOBS}/${created.body.job_id}`)).status).toBe(200);
      return;
    }
    expect(refusal(created)).toMatchObject({
      status: 403,
      detail: expect.stringContaining('Required roles (any): [admin, trainer]'),
    });
  });

  it('serves a program with its own token, and keeps what is a person’s from it', async () => {
    const program = await keycloak.serviceToken();
    expect((await post(program)).status).toBe(200);
    const { body } = await post(await keycloak.accessToken('trainer'));
    expect((await ask(program, 'GET', `${JOBS}/${body.job_id}`)).status).toBe(200);
    expect((await ask(program, 'DELETE', `${JOBS}/${body.job_id}`)).status).toBe(403);
    expect((await ask(await keycloak.accessToken('admin'), 'DELETE', `${JOBS}/${body.job_id}`)).status).toBe(200);
  });

  it('refuses the token of another client and of another realm', async () => {
    const clientId = 'another-client';
    await keycloak.admin('POST', 'clients', { clientId, serviceAccountsEnabled: true, publicClient: false });
    expect(refusal(await list(await keycloak.serviceToken(clientId)))).toEqual(invalid(/^Invalid token: .*aud/));
    expect(refusal(await list(await keycloak.masterToken()))).toEqual(invalid(/^Invalid token: /));
  });

  it('refuses a refresh token and an ID token', async () => {
    const { access_token, refresh_token, id_token } = await keycloak.passwordTokens('admin');
    expect(refusal(await list(refresh_token))).toEqual(invalid(/^Invalid token: /));
    expect(refusal(await list(id_token))).toEqual(invalid(/^Invalid token: /));
    expect((await list(access_token)).status).toBe(200);
  });

  it('refuses a token that has expired', async () => {
    const token = await keycloak.shortToken('trainer', 3);
    const answer = await eventually('it is refused', async () => {
      const last = await list(token);
      return last.status !== 200 && last;
    });
    expect(refusal(answer)).toEqual(invalid(/^Token expired/));
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(decodeJwt(token).exp ?? Infinity);
  });

  it('takes an access token until its end, also after a logout', async () => {
    const tokens = await keycloak.passwordTokens('trainer');
    await keycloak.logout(tokens);
    expect((await list(tokens.access_token)).status).toBe(200);
  });

  it('takes tokens of a new key at once, of the old one until Keycloak publishes it no longer', async () => {
    const before = await keycloak.accessToken('trainer');
    expect((await list(before)).status).toBe(200);
    const key = await keycloak.signingKey();
    await keycloak.rotateKey();
    const after = await keycloak.accessToken('trainer');
    expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid);
    // An unknown key is asked for at most once in ten seconds, and an earlier test may have been the last.
    await eventually('the new key is taken', async () => (await list(after)).status === 200, 12_000);
    expect((await list(before)).status).toBe(200);
    await keycloak.disableKey(key);
    // The keys are fetched anew every few minutes, and at a key that nobody knows yet.
    await keycloak.rotateKey();
    const latest = await keycloak.accessToken('trainer');
    await eventually('the newest key is taken', async () => (await list(latest)).status === 200, 12_000);
    expect(refusal(await list(before))).toEqual(invalid(/^Invalid token: /));
    expect((await list(after)).status).toBe(200);
  });

  describe('away', () => {
    let token: string;
    let unseen: string;

    beforeAll(async () => {
      token = await keycloak.accessToken('trainer');
      await list(token);
      await keycloak.rotateKey();
      unseen = await keycloak.accessToken('trainer');
      await keycloak.down();
    });
    afterAll(() => keycloak.up());

    it('is not missed as long as the keys are known', async () => {
      // Longer than a failed fetch is left alone.
      const until = Date.now() + 12_000;
      while (Date.now() < until) {
        expect(refusal(await list(unseen))).toEqual(invalid(/^Invalid token: /));
        expect((await list(token)).status).toBe(200);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    });

    it('makes a fresh start say that no token can be checked, and not that it is bad', async () => {
      await app.kill('SIGTERM');
      await app.restart();
      expect((await list(token)).status).toBe(503);
    });
  });

  it('is found again after its return, with the keys it has by then', async () => {
    const before = await keycloak.accessToken('analyst');
    await eventually('its tokens are taken again', async () => (await list(before)).status === 200, 12_000);
    await keycloak.rotateKey();
    const after = await keycloak.accessToken('admin');
    await eventually('a key made after the return is taken', async () => (await list(after)).status === 200, 12_000);
    expect((await list(before)).status).toBe(200);
  });

  it('lets nobody log in without PKCE, or be sent elsewhere', async () => {
    const login = (redirect_uri: string) => {
      const query = new URLSearchParams({ client_id: 'clara-training-system', response_type: 'code', redirect_uri });
      return fetch(`${keycloak.issuer}/protocol/openid-connect/auth?${query.toString()}`, { redirect: 'manual' });
    };
    const home = await login('http://localhost:45678/');
    expect(home.headers.get('location')).toMatch(
      /^http:\/\/localhost:45678\/\?error=invalid_request&error_description=Missing\+parameter%3A\+code_challenge_method/,
    );
    expect((await login('https://elsewhere.example/')).status).toBe(400);
  });
});
