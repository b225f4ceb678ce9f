import type { IncomingMessage } from 'node:http';
import { principalOf } from '../../../test/fixtures/callers.js';
import { readSettings } from '../../config/settings.js';
import { AppError } from '../../kernel/errors.js';
import { ClientAddress } from '../limits/client-address.port.js';
import { Authenticator } from './authenticator.port.js';
import { invalidToken, missing } from './credentials.js';
import { FailedAttempts } from './failed-attempts.port.js';
import { LimitedAuthenticator } from './limited-authenticator.js';
import type { Principal } from './principal.port.js';

/** Knows one token, remembers it once it was verified, and counts what cost cryptography. */
class OneToken extends Authenticator {
  verified = 0;
  isAway = false;
  readonly #known = new Set<string>();

  override remembered({ headers }: IncomingMessage): Principal | undefined {
    return this.#known.has(headers.authorization ?? '') ? principalOf('erika', 'user') : undefined;
  }

  authenticate({ headers }: IncomingMessage): Promise<Principal> {
    this.verified += 1;
    const token = headers.authorization ?? '';
    if (this.isAway) return Promise.reject(new AppError('unavailable', 'no keys'));
    if (token === '') return Promise.reject(missing());
    if (!token.startsWith('good')) return Promise.reject(invalidToken('no'));
    this.#known.add(token);
    return Promise.resolve(principalOf('erika', 'user'));
  }

  authenticateToken(request: IncomingMessage): Promise<Principal> {
    return this.authenticate(request);
  }

  hasCredentials(): boolean {
    return true;
  }
}

/** Blocks an address after three failures. */
class ThreeAttempts extends FailedAttempts {
  readonly #failures = new Map<string, number>();

  blocked(address: string): number | null {
    return (this.#failures.get(address) ?? 0) >= 3 ? 60 : null;
  }

  failed(address: string): void {
    this.#failures.set(address, (this.#failures.get(address) ?? 0) + 1);
  }
}

const request = (authorization: string, remoteAddress = '198.51.100.1'): IncomingMessage =>
  ({ headers: { authorization }, socket: { remoteAddress } }) as unknown as IncomingMessage;

describe('an authenticator with a limit', () => {
  let inner: OneToken;
  let limited: LimitedAuthenticator;
  const statusOf = (token: string, address?: string): Promise<number> =>
    limited.authenticate(request(token, address)).then(
      () => 200,
      (error: AppError) => error.status,
    );

  beforeEach(() => {
    inner = new OneToken();
    const addresses = new ClientAddress(readSettings({ CLARA_SECURITY_MODE: 'debug' }, '/srv'));
    limited = new LimitedAuthenticator(inner, new ThreeAttempts(), addresses);
  });

  it('answers 401 up to the limit, then 429 without looking', async () => {
    expect(await statusOf('good 1')).toBe(200);
    const answers = [];
    for (let round = 0; round < 6; round += 1) answers.push(await statusOf('bad'));
    expect(answers).toEqual([401, 401, 401, 429, 429, 429]);
    expect(inner.verified).toBe(4);
    await expect(limited.authenticate(request('bad'))).rejects.toMatchObject({
      headers: { 'Retry-After': expect.stringMatching(/^\d+$/) },
    });
  });

  it('lets those work on whose token was verified before, and others elsewhere', async () => {
    await statusOf('good 1');
    for (let round = 0; round < 4; round += 1) await statusOf('bad');
    expect(await statusOf('good 1')).toBe(200);
    expect(await statusOf('good 2')).toBe(429);
    expect(await statusOf('good 2', '198.51.100.2')).toBe(200);
  });

  it('counts no failure that is none of the token', async () => {
    inner.isAway = true;
    for (let round = 0; round < 5; round += 1) expect(await statusOf('good 1')).toBe(503);
  });

  it('counts no request without a token: nothing was guessed', async () => {
    for (let index = 0; index < 10; index += 1) expect(await statusOf('')).toBe(401);
    expect(await statusOf('good')).toBe(200);
    expect(await statusOf('bad')).toBe(401);
  });
});
