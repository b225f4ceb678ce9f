import { Injectable } from '@nestjs/common';
import { createHash, randomBytes } from 'node:crypto';
import type { PublicKey } from '@peculiar/x509';
import { DataSource } from 'typeorm';
import { Clock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import { AuditTrail } from '../audit/audit.port.js';
import { systemCaller, type Caller } from '../security/principal.port.js';
import { Certificates, type CertificateRow } from './certificates.service.js';
import { mustBeNames, outside, type Names } from './names.js';

const PREFIX = 'clara_enrol_';
const SHAPE = /^clara_enrol_[\w-]{43}$/;

/** What an enrolment token allows; the token itself is known to its holder alone. */
export interface EnrolmentToken {
  token_id: string;
  service_id: string;
  common_name: string;
  san_dns: string[];
  san_ip: string[];
  max_uses: number;
  uses: number;
  expires_at: Date;
  created_by: string;
  created_at: Date;
  revoked_at: Date | null;
}

export interface TokenWish {
  names: Names;
  uses: number;
  hours: number;
}

export interface EnrolmentWish {
  names: Names;
  publicKey: PublicKey;
  days: number;
}

const SHOWN = `token_id, service_id, common_name, san_dns, san_ip, max_uses, uses, expires_at, created_by, created_at, revoked_at`;
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Tokens that let a service get its first certificate. */
@Injectable()
export class Enrolment {
  constructor(
    private readonly source: DataSource,
    private readonly certificates: Certificates,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** @returns the token, which is never shown again, and what is kept of it */
  create({ names, uses, hours }: TokenWish, caller: Caller): Promise<EnrolmentToken & { token: string }> {
    mustBeNames(names);
    const token = `${PREFIX}${randomBytes(32).toString('base64url')}`;
    const ends = new Date(this.clock.now() + hours * 3_600_000);
    return inTransaction(this.source, async (sql) => {
      const [row] = await rowsOf<EnrolmentToken>(
        sql,
        `INSERT INTO pki_enrolment_tokens
           (token_hash, service_id, common_name, san_dns, san_ip, max_uses, expires_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ${SHOWN}`,
        [hashOf(token), names.serviceId, names.commonName, names.dns, names.ip, uses, ends, caller.subject],
      );
      const made = row as EnrolmentToken;
      await this.#record(sql, caller, 'create', made);
      return { ...made, token };
    });
  }

  /** Newest first. */
  list(): Promise<EnrolmentToken[]> {
    return rowsOf(this.source, `SELECT ${SHOWN} FROM pki_enrolment_tokens ORDER BY created_at DESC, token_id`);
  }

  /** @throws AppError where there is none that still counts */
  revoke(tokenId: string, caller: Caller): Promise<EnrolmentToken> {
    return inTransaction(this.source, async (sql) => {
      const [row] = await rowsOf<EnrolmentToken>(
        sql,
        `UPDATE pki_enrolment_tokens SET revoked_at = $2 WHERE token_id::text = $1 AND revoked_at IS NULL RETURNING ${SHOWN}`,
        [tokenId, new Date(this.clock.now())],
      );
      if (!row)
        throw new AppError('not_found', `There is no enrolment token "${tokenId.slice(0, 80)}" that is not revoked`);
      await this.#record(sql, caller, 'revoke', row);
      return row;
    });
  }

  /** Spends one use of the token on a certificate. @throws AppError where it does not count, or allows other names only */
  enrol(token: string, { names, publicKey, days }: EnrolmentWish, from: Partial<Caller>): Promise<CertificateRow> {
    return inTransaction(this.source, async (sql) => {
      const spent = await this.#spend(sql, token);
      mustAllow(spent, names);
      const caller = systemCaller(`enrolment-token:${spent.token_id}`, from);
      return this.certificates.issueWithin(sql, { names, publicKey, days, action: 'pki.certificate.issue' }, caller);
    });
  }

  /** Only one of several that come at once gets the last use. */
  async #spend(sql: Sql, token: string): Promise<EnrolmentToken> {
    const [row] = SHAPE.test(token)
      ? await rowsOf<EnrolmentToken>(
          sql,
          `UPDATE pki_enrolment_tokens SET uses = uses + 1
            WHERE token_hash = $1 AND uses < max_uses AND revoked_at IS NULL AND expires_at > $2 RETURNING ${SHOWN}`,
          [hashOf(token), new Date(this.clock.now())],
        )
      : [];
    if (row) return row;
    throw new AppError(
      'unauthorized',
      'The enrolment token is missing, unknown, used up, revoked or expired; an administrator makes one with POST /api/v1/enrolment-tokens or "npx clara pki enrol-token create"',
      [],
      { 'www-authenticate': 'Enrolment-Token realm="clara-pki"' },
    );
  }

  #record(
    sql: Sql,
    caller: Caller,
    verb: 'create' | 'revoke',
    { token_id, service_id }: EnrolmentToken,
  ): Promise<void> {
    return this.audit.record(sql, caller, {
      action: `pki.enrolment_token.${verb}`,
      target: { type: 'enrolment_token', id: token_id },
      outcome: 'done',
      detail: { service_id },
    });
  }
}

function mustAllow(token: EnrolmentToken, { serviceId, commonName, dns, ip }: Names): void {
  const refused = [
    ...outside([serviceId], [token.service_id]).map((name) => `service_id "${name}"`),
    ...outside([commonName], [token.common_name]).map((name) => `common_name "${name}"`),
    ...outside(dns, token.san_dns).map((name) => `san_dns "${name}"`),
    ...outside(ip, token.san_ip).map((name) => `san_ip "${name}"`),
  ];
  if (refused.length > 0)
    throw new AppError('forbidden', `The enrolment token does not allow ${refused.join(', ').slice(0, 500)}`);
}
