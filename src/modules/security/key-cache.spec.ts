import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { FakeLog } from '../../../test/fixtures/live-feed.js';
import { Clock } from '../../kernel/clock.js';
import { KeyCache } from './key-cache.js';
import { KeySource } from './key-source.port.js';

class FakeClock extends Clock {
  time = 1_000_000;
  now = (): number => this.time;
  sleep = (): Promise<void> => Promise.resolve();
}

class FakeSource extends KeySource {
  keys: unknown[] = [];
  fetches = 0;
  isAway = false;

  async fetch(): Promise<JWK[]> {
    this.fetches += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (this.isAway) throw new Error('connect ECONNREFUSED');
    return this.keys as JWK[];
  }
}

const publicJwk = async (kid: string, alg = 'RS256', options = {}): Promise<JWK> => {
  const { publicKey } = await generateKeyPair(alg, { extractable: true, ...options });
  return { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
};

describe('the keys of the issuer', () => {
  let first: JWK;
  let second: JWK;
  let clock: FakeClock;
  let source: FakeSource;
  let cache: KeyCache;

  beforeAll(async () => {
    [first, second] = await Promise.all([publicJwk('first'), publicJwk('second')]);
  });
  beforeEach(() => {
    clock = new FakeClock();
    source = new FakeSource();
    source.keys = [first];
    cache = new KeyCache(source, clock, new FakeLog());
  });

  it('are fetched once for all who ask at the same time', async () => {
    const found = await Promise.all(Array.from({ length: 100 }, () => cache.find('first', 'RS256')));
    expect(found.every((key) => key?.asymmetricKeyType === 'rsa')).toBe(true);
    expect(source.fetches).toBe(1);
  });

  it('are asked for an unknown id at most once in 10 seconds', async () => {
    await cache.find('first', 'RS256');
    clock.time += 9_999;
    for (let index = 0; index < 20; index += 1) expect(await cache.find(`x${index}`, 'RS256')).toBeUndefined();
    expect(source.fetches).toBe(1);
    clock.time += 1;
    await Promise.all(Array.from({ length: 20 }, (_, index) => cache.find(`y${index}`, 'RS256')));
    expect(source.fetches).toBe(2);
  });

  it('that are new are found at once, and those that are gone count no longer and end what was verified', async () => {
    await cache.find('first', 'RS256');
    clock.time += 10_000;
    source.keys = [first, second];
    expect(await cache.find('second', 'RS256')).toBeDefined();
    expect(cache.generation).toBe(0);
    source.keys = [second];
    clock.time += 300_001;
    await cache.find('first', 'RS256');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await cache.find('first', 'RS256')).toBeUndefined();
    expect(cache.generation).toBe(1);
  });

  it('go on working while the issuer is away, however old they are', async () => {
    await cache.find('first', 'RS256');
    source.isAway = true;
    for (let day = 0; day < 3; day += 1) {
      clock.time += 86_400_000;
      expect(await cache.find('first', 'RS256')).toBeDefined();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    source.isAway = false;
    source.keys = [];
    clock.time += 86_400_000;
    await cache.find('first', 'RS256');
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await cache.find('first', 'RS256')).toBeDefined();
  });

  it('that were never there are an unavailable service, and are tried again', async () => {
    source.isAway = true;
    await expect(cache.find('first', 'RS256')).rejects.toMatchObject({ code: 'unavailable' });
    source.isAway = false;
    await expect(cache.find('first', 'RS256')).rejects.toMatchObject({ code: 'unavailable' });
    clock.time += 10_000;
    expect(await cache.find('first', 'RS256')).toBeDefined();
  });

  it('count only for their own algorithm, and only if they are good for signatures', async () => {
    const weak = { kty: 'RSA', n: Buffer.alloc(128, 0xff).toString('base64url'), e: 'AQAB', kid: 'weak', alg: 'RS256' };
    source.keys = [
      first,
      { ...second, use: 'enc', kid: 'enc' },
      { ...second, alg: 'RS512', kid: 'other' },
      weak,
      { kty: 'oct', k: 'c2VjcmV0', kid: 'secret', alg: 'HS256' },
      { ...second, kid: undefined },
      { kid: 'broken' },
      'nonsense',
      null,
      await publicJwk('elliptic', 'ES256'),
      await publicJwk('edwards', 'EdDSA', { crv: 'Ed25519' }),
    ];
    for (const kid of ['enc', 'other', 'weak', 'secret', 'broken', 'undefined', '__proto__'])
      expect([kid, await cache.find(kid, 'RS256')]).toEqual([kid, undefined]);
    expect(await cache.find('first', 'ES256')).toBeUndefined();
    expect(await cache.find('elliptic', 'RS256')).toBeUndefined();
    expect(await cache.find('elliptic', 'ES256')).toBeDefined();
    expect(await cache.find('edwards', 'EdDSA')).toBeDefined();
  });
});
