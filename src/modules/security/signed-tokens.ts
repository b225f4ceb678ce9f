import { createHash } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { Clock } from '../../kernel/clock.js';
import { Log } from '../../kernel/log.js';
import { BearerStrategy } from './bearer-strategy.js';
import { invalidToken } from './credentials.js';
import { JsonWebTokens } from './json-web-tokens.port.js';
import { KeyCache } from './key-cache.js';
import { KeySource } from './key-source.port.js';
import type { Principal } from './principal.port.js';
import { claimsProblem, principalOf } from './token-claims.js';

const REMEMBERED = 10_000;

const digestOf = (token: string): string => createHash('sha256').update(token).digest('base64');

/** Access tokens of the issuer. What was verified once is remembered while token and keys last. */
@Injectable()
export class SignedTokens extends JsonWebTokens implements OnApplicationBootstrap {
  readonly #keys: KeyCache;
  readonly #strategy: BearerStrategy;
  readonly #verified = new Map<string, { principal: Principal; generation: number }>();

  constructor(
    source: KeySource,
    private readonly settings: Settings,
    private readonly clock: Clock,
    log: Log,
  ) {
    super();
    const { issuer, audience, algorithms, leewaySeconds } = settings.security;
    this.#keys = new KeyCache(source, clock, log);
    const key = this.#keys.find.bind(this.#keys);
    const now = () => clock.now();
    this.#strategy = new BearerStrategy({ issuer, audience, algorithms, leewaySeconds, key, now });
  }

  /** The first caller need not wait for the keys. */
  onApplicationBootstrap(): void {
    this.#keys.refresh();
  }

  async verify(token: string): Promise<Principal> {
    this.#keys.refresh();
    const known = this.remembered(token);
    if (known) return known;
    const { generation } = this.#keys;
    const claims = await this.#strategy.claims(token);
    const problem = claimsProblem(claims, this.settings.security, this.clock.now());
    if (problem) throw invalidToken(`Invalid token: ${problem}`);
    const principal = principalOf(claims, this.settings.security);
    this.#remember(digestOf(token), { principal, generation });
    return principal;
  }

  remembered(token: string): Principal | undefined {
    const digest = digestOf(token);
    const known = this.#verified.get(digest);
    if (!known) return undefined;
    if (this.#holds(known)) return known.principal;
    this.#verified.delete(digest);
    return undefined;
  }

  #holds({ principal, generation }: { principal: Principal; generation: number }): boolean {
    const end = (principal.expiresAt ?? 0) + this.settings.security.leewaySeconds * 1000;
    return generation === this.#keys.generation && this.clock.now() < end;
  }

  /** The oldest goes first. */
  #remember(digest: string, entry: { principal: Principal; generation: number }): void {
    const [oldest] = this.#verified.keys();
    if (this.#verified.size >= REMEMBERED && oldest !== undefined) this.#verified.delete(oldest);
    this.#verified.set(digest, entry);
  }
}
