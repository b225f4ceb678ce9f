import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Settings } from '../../config/settings.js';
import { Clock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import { inTransaction, rowsOf } from '../../kernel/transaction.js';
import { Wakeups } from '../../kernel/wakeups.js';
import { isUuid } from '../../kernel/uuid.js';
import { AuditTrail } from '../audit/audit.port.js';
import { invalidToken, PERSONAL_PREFIX } from './credentials.js';
import type { CreatePersonalTokenDto, NewPersonalTokenDto, PersonalTokenDto } from './personal-token.dto.js';
import type { PersonalTokenEntity } from './personal-token.entity.js';
import { isAdmin, type Caller, type Principal } from './principal.port.js';
import { permissionsOf } from './permissions.js';

/** A revocation is told to all applications of the database at once; this bounds it where the word gets lost. */
const REMEMBERED_MS = 5000;
const REMEMBERED = 10_000;
const USED_EVERY_MS = 60_000;
const DEFAULT_DAYS = 90;
const DAY_MS = 86_400_000;
export const TOKENS_CHANNEL = 'security_tokens';

const COLUMNS = 'id, owner, name, scopes, created_at, expires_at, last_used_at, revoked_at';
const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** A personal token gives what it was made for, as far as the roles of its owner at that time give it too. */
export function principalOfPersonal(
  row: Pick<PersonalTokenEntity, 'id' | 'owner' | 'scopes' | 'roles' | 'groups' | 'expires_at'>,
) {
  const allowed = permissionsOf(row.roles);
  return {
    subject: row.owner,
    roles: row.roles,
    groups: row.groups,
    permissions: new Set(row.scopes.filter((scope) => allowed.has(scope))),
    via: 'personal_token',
    expiresAt: row.expires_at.getTime(),
    tokenId: row.id,
  } satisfies Principal;
}

/** Personal access tokens: made, listed and revoked by their owner. */
@Injectable()
export class PersonalTokens implements OnModuleDestroy {
  readonly #known = new Map<string, { principal: Principal; until: number; usedAt: number }>();
  readonly #off: () => void;

  constructor(
    private readonly source: DataSource,
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly audit: AuditTrail,
    wakeups: Wakeups,
  ) {
    this.#off = wakeups.on(TOKENS_CHANNEL, () => this.#known.clear());
  }

  onModuleDestroy(): void {
    this.#off();
  }

  /** @throws AppError `unauthorized` for one that is unknown, revoked or expired */
  async verify(token: string): Promise<Principal> {
    const digest = digestOf(token);
    const name = digest.toString('base64');
    const usedAt = this.#known.get(name)?.usedAt ?? 0;
    const now = this.clock.now();
    const known = this.#remembered(name);
    if (known) return known;
    const [row] = await rowsOf<PersonalTokenEntity>(
      this.source,
      'SELECT * FROM security_personal_tokens WHERE digest = $1',
      [digest],
    );
    if (!row || row.revoked_at) throw invalidToken('Invalid token: it is unknown or was revoked');
    if (row.expires_at.getTime() <= now) throw invalidToken('Token expired');
    const principal = principalOfPersonal(row);
    this.#remember(name, principal, await this.#noteUse(row, usedAt));
    return principal;
  }

  /** Who it is, where it was looked up a moment ago. */
  remembered(token: string): Principal | undefined {
    return this.#remembered(digestOf(token).toString('base64'));
  }

  #remembered(name: string): Principal | undefined {
    const known = this.#known.get(name);
    const now = this.clock.now();
    return known && known.until > now && (known.principal.expiresAt ?? 0) > now ? known.principal : undefined;
  }

  async create(request: CreatePersonalTokenDto, owner: Caller): Promise<NewPersonalTokenDto> {
    const days = request.expires_in_days ?? Math.min(DEFAULT_DAYS, this.settings.security.tokenMaxDays);
    this.#check(request, owner, days);
    const token = PERSONAL_PREFIX + randomBytes(32).toString('base64url');
    const expiresAt = new Date(this.clock.now() + days * DAY_MS);
    const values = [
      randomUUID(),
      owner.subject,
      request.name,
      digestOf(token),
      request.scopes,
      owner.roles,
      owner.groups,
      expiresAt,
    ];
    const row = await inTransaction(this.source, async (sql) => {
      const [made] = await rowsOf<PersonalTokenDto>(
        sql,
        `INSERT INTO security_personal_tokens (id, owner, name, digest, scopes, roles, groups, expires_at)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ${COLUMNS}`,
        values,
      );
      if (!made) throw new Error('PostgreSQL returned no row for an INSERT');
      await this.audit.record(sql, owner, {
        action: 'security.token.create',
        target: { type: 'personal_token', id: made.id },
        outcome: 'done',
        detail: { scopes: request.scopes, expires_at: expiresAt.toISOString() },
      });
      return made;
    });
    return Object.assign(row, { token });
  }

  /** Those of the caller, or of everybody where an admin asks for it; newest first. */
  async list(caller: Caller, everybody: boolean): Promise<PersonalTokenDto[]> {
    if (everybody && !isAdmin(caller))
      throw new AppError('forbidden', 'Only an admin may list the tokens of everybody. Required roles (any): [admin]');
    return rowsOf<PersonalTokenDto>(
      this.source,
      `SELECT ${COLUMNS} FROM security_personal_tokens WHERE $1 OR owner = $2 ORDER BY created_at DESC, id LIMIT 1000`,
      [everybody, caller.subject],
    );
  }

  /** Holds at once, everywhere. @throws AppError `not_found` for one that is not the caller's to revoke */
  async revoke(id: string, caller: Caller): Promise<void> {
    const revoked = await inTransaction(this.source, async (sql) => {
      const rows = isUuid(id)
        ? await rowsOf(
            sql,
            `UPDATE security_personal_tokens SET revoked_at = now()
              WHERE id = $1 AND revoked_at IS NULL AND ($2 OR owner = $3) RETURNING id`,
            [id, isAdmin(caller), caller.subject],
          )
        : [];
      if (rows.length === 0) return false;
      await this.audit.record(sql, caller, {
        action: 'security.token.revoke',
        target: { type: 'personal_token', id },
        outcome: 'done',
      });
      await sql.query('SELECT pg_notify($1, $2)', [TOKENS_CHANNEL, id]);
      return true;
    });
    if (!revoked) throw new AppError('not_found', `Token not found: ${id.slice(0, 40)}`);
    this.#known.clear();
  }

  /** @throws AppError `forbidden` or `invalid` */
  #check({ scopes }: CreatePersonalTokenDto, owner: Caller, days: number): void {
    if (owner.via === 'personal_token') throw new AppError('forbidden', 'A personal token cannot make further tokens');
    const lacking = scopes.filter((scope) => !owner.permissions.has(scope));
    if (lacking.length > 0)
      throw new AppError('forbidden', `You do not have ${lacking.join(', ')}, so no token of yours can`);
    const most = this.settings.security.tokenMaxDays;
    if (days > most)
      throw new AppError(
        'invalid',
        `expires_in_days: ${days} is more than ${most}, which CLARA_TOKEN_MAX_DAYS allows`,
        [{ path: 'expires_in_days', message: `at most ${most}` }],
      );
  }

  #remember(name: string, principal: Principal, usedAt: number): void {
    const [oldest] = this.#known.keys();
    if (this.#known.size >= REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(name, { principal, until: this.clock.now() + REMEMBERED_MS, usedAt });
  }

  /** Writes down at most once a minute that it was used. */
  async #noteUse({ id, last_used_at }: PersonalTokenEntity, usedAt: number): Promise<number> {
    const now = this.clock.now();
    const last = Math.max(usedAt, last_used_at?.getTime() ?? 0);
    if (now - last < USED_EVERY_MS) return last;
    await this.source.query('UPDATE security_personal_tokens SET last_used_at = now() WHERE id = $1', [id]);
    return now;
  }
}
