import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '../../kernel/clock.js';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { rowsOf } from '../../kernel/transaction.js';
import { Wakeups } from '../../kernel/wakeups.js';
import { CredentialWatch } from './credential-watch.port.js';
import { TOKENS_CHANNEL } from './personal-tokens.service.js';
import type { Principal } from './principal.port.js';

interface Watched {
  principal: Principal;
  ended: (reason: string) => void;
}

const ROUND_MS = 1000;

/** Looks every second for what has expired, and at each word of a revoked token for what was opened with it. */
@Injectable()
export class CredentialWatcher extends CredentialWatch implements OnModuleDestroy {
  readonly #watched = new Set<Watched>();
  readonly #timer: NodeJS.Timeout;
  readonly #off: () => void;

  constructor(
    private readonly clock: Clock,
    private readonly source: DataSource,
    private readonly log: Log,
    wakeups: Wakeups,
  ) {
    super();
    this.#timer = setInterval(() => this.#endExpired(), ROUND_MS);
    this.#timer.unref();
    this.#off = wakeups.on(TOKENS_CHANNEL, (id) => void this.#endRevoked(id));
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
    this.#off();
  }

  watch(principal: Principal, ended: (reason: string) => void): () => void {
    if (principal.expiresAt === null && principal.tokenId === null) return () => undefined;
    const watched = { principal, ended };
    this.#watched.add(watched);
    return () => void this.#watched.delete(watched);
  }

  #endExpired(): void {
    const now = this.clock.now();
    this.#endWhere(({ expiresAt }) => expiresAt !== null && expiresAt <= now, 'Token expired');
  }

  /** An empty id comes after a lost connection: some words may be missing. */
  async #endRevoked(id: string): Promise<void> {
    const ids = id === '' ? [...this.#watched].flatMap(({ principal }) => principal.tokenId ?? []) : [id];
    if (ids.length === 0) return;
    try {
      const revoked = await rowsOf<{ id: string }>(
        this.source,
        'SELECT id FROM security_personal_tokens WHERE id = ANY ($1::uuid[]) AND revoked_at IS NOT NULL',
        [ids],
      );
      const gone = new Set(revoked.map((row) => row.id));
      this.#endWhere(({ tokenId }) => tokenId !== null && gone.has(tokenId), 'The token was revoked');
    } catch (error) {
      this.log.warn('revoked tokens could not be looked up', { error: messageOf(error) });
    }
  }

  #endWhere(over: (principal: Principal) => boolean, reason: string): void {
    for (const watched of [...this.#watched].filter(({ principal }) => over(principal))) {
      this.#watched.delete(watched);
      watched.ended(reason);
    }
  }
}
