import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import { invalidToken } from './credentials.js';
import type { TicketDto } from './personal-token.dto.js';
import { restored, stored, type Principal, type Stored } from './principal.port.js';

const LIFE_SECONDS = 30;

const digestOf = (ticket: string): Buffer => createHash('sha256').update(ticket).digest();

/** One-time tickets for the handshake of a socket: a browser can send no header there, and a token in an address gets logged. */
@Injectable()
export class Tickets {
  constructor(private readonly source: DataSource) {}

  async issue(principal: Principal): Promise<TicketDto> {
    const ticket = randomBytes(32).toString('base64url');
    const { subject, roles, groups, permissions, via, expiresAt, tokenId } = principal;
    // No more of a caller than who it is: the request that the ticket is for is another one.
    const kept = stored({ subject, roles, groups, permissions, via, expiresAt, tokenId });
    await this.source.query(
      `WITH gone AS (DELETE FROM security_tickets WHERE expires_at < now())
        INSERT INTO security_tickets (digest, principal, expires_at) VALUES ($1, $2, now() + make_interval(secs => $3))`,
      [digestOf(ticket), JSON.stringify(kept), LIFE_SECONDS],
    );
    return { ticket, expires_in: LIFE_SECONDS };
  }

  /** @throws AppError `unauthorized` for one that is unknown, used or too old */
  async redeem(ticket: string): Promise<Principal> {
    const [row] = await rowsOf<{ principal: Stored<Principal>; fresh: boolean }>(
      this.source,
      'DELETE FROM security_tickets WHERE digest = $1 RETURNING principal, expires_at > now() AS fresh',
      [digestOf(ticket)],
    );
    if (!row?.fresh) throw invalidToken('Invalid token: the ticket is unknown, used or too old');
    return restored(row.principal);
  }
}
