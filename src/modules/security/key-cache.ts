import { createPublicKey, type JsonWebKeyInput, type KeyObject } from 'node:crypto';
import type { JWK } from 'jose';
import type { Clock } from '../../kernel/clock.js';
import { AppError, messageOf } from '../../kernel/errors.js';
import type { Log } from '../../kernel/log.js';
import type { KeySource } from './key-source.port.js';

const LEAST_RSA_BITS = 2048;
/** An unknown key is worth a fetch at most this often, however many ask. */
const COOLDOWN_MS = 10_000;
const MAX_AGE_MS = 300_000;

interface Key {
  key: KeyObject;
  algorithm: string;
}

/** Algorithm that a key is good for; undefined: none of ours. */
function algorithmOf(jwk: JWK, key: KeyObject): string | undefined {
  if (jwk.use !== undefined && jwk.use !== 'sig') return undefined;
  if (key.asymmetricKeyType === 'rsa')
    return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= LEAST_RSA_BITS ? 'RS256' : undefined;
  if (key.asymmetricKeyType === 'ec')
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? 'ES256' : undefined;
  return key.asymmetricKeyType === 'ed25519' ? 'EdDSA' : undefined;
}

/** A key of the set that signatures can be checked with; undefined for every other one. */
function importKey(jwk: JWK): Key | undefined {
  try {
    const key = createPublicKey({ key: jwk as JsonWebKeyInput['key'], format: 'jwk' });
    const algorithm = algorithmOf(jwk, key);
    if (algorithm === undefined || (jwk.alg !== undefined && jwk.alg !== algorithm)) return undefined;
    return { key, algorithm };
  } catch {
    return undefined;
  }
}

/** The issuer's keys by `kid`: fetched when they are needed, refreshed by age, and kept while the issuer is away. */
export class KeyCache {
  #keys = new Map<string, Key>();
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | undefined;
  #generation = 0;

  constructor(
    private readonly source: KeySource,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Rises when a key has gone or changed: what was verified before has to be verified again. */
  get generation(): number {
    return this.#generation;
  }

  /** Starts a refresh where the keys are old; known ones go on working meanwhile. */
  refresh(): void {
    if (this.clock.now() - this.#fetchedAt > MAX_AGE_MS && this.#mayTry()) void this.#fetch();
  }

  /**
   * The key of this id and algorithm; undefined where the issuer has none.
   * @throws AppError `unavailable` where no key was ever fetched
   */
  async find(kid: string, algorithm: string): Promise<KeyObject | undefined> {
    this.refresh();
    if (!this.#keys.has(kid) && (this.#pending || this.#mayTry())) await this.#fetch();
    if (this.#keys.size === 0)
      throw new AppError(
        'unavailable',
        'Authentication service unavailable: the issuer of tokens has given no keys yet; the log says why. Try again in a few seconds',
      );
    const found = this.#keys.get(kid);
    return found?.algorithm === algorithm ? found.key : undefined;
  }

  #mayTry(): boolean {
    return this.clock.now() - this.#triedAt >= COOLDOWN_MS;
  }

  #fetch(): Promise<void> {
    return (this.#pending ??= this.#load().finally(() => (this.#pending = undefined)));
  }

  async #load(): Promise<void> {
    this.#triedAt = this.clock.now();
    try {
      this.#take(await this.source.fetch());
      this.#fetchedAt = this.clock.now();
    } catch (error) {
      this.log.warn('the keys of the issuer could not be fetched', { error: messageOf(error), known: this.#keys.size });
    }
  }

  #take(set: JWK[]): void {
    const named = set.filter((jwk) => typeof jwk === 'object' && typeof jwk?.kid === 'string');
    const usable = named.flatMap((jwk) => {
      const key = importKey(jwk);
      return key ? [[String(jwk.kid), key] as const] : [];
    });
    if (usable.length === 0) throw new Error('the key set holds no key that signatures can be checked with');
    const fresh = new Map(usable);
    const lost = [...this.#keys].some(([kid, { key }]) => !fresh.get(kid)?.key.equals(key));
    if (lost) this.#generation += 1;
    this.#keys = fresh;
  }
}
