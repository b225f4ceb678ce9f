import { Injectable } from '@nestjs/common';
import { PemConverter } from '@peculiar/x509';
import { DataSource } from 'typeorm';
import { Clock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import { Authority } from './authority.js';
import type { CaRole, RevokedEntry } from './certificate-profile.js';

const DAY_MS = 86_400_000;
/** How long a CRL counts, and how long before its end the next one is made. */
const terms = {
  root: { days: 365, early: 90 },
  intermediate: { days: 7, early: 3 },
} as const satisfies Record<CaRole, { days: number; early: number }>;
const BACKDATED_MS = 5 * 60_000;

/** Every application of the database listens here. */
export const PKI_CHANNEL = 'pki_changed';

export interface RevocationList {
  issuer: CaRole;
  number: number;
  thisUpdate: Date;
  nextUpdate: Date;
  entries: number;
  der: Buffer;
}

interface Row {
  issuer: CaRole;
  number: number;
  this_update: Date;
  next_update: Date;
  entries: number;
  der: Buffer;
}

const listOf = (row: Row): RevocationList => ({
  issuer: row.issuer,
  number: row.number,
  thisUpdate: row.this_update,
  nextUpdate: row.next_update,
  entries: row.entries,
  der: row.der,
});

/** PEM as OpenSSL and node:tls want it. */
export const crlPem = ({ der }: Pick<RevocationList, 'der'>): string => PemConverter.encode(der, 'X509 CRL');

export const isDue = (issuer: CaRole, nextUpdate: Date, now: number): boolean =>
  nextUpdate.getTime() - now < terms[issuer].early * DAY_MS;

/** The CRLs of both CAs, in the database: each number once, in order, whoever signs. */
@Injectable()
export class RevocationLists {
  constructor(
    private readonly source: DataSource,
    private readonly authority: Authority,
    private readonly clock: Clock,
  ) {}

  /** Keeps every other signer out until the transaction ends, so that no CRL lacks what an earlier one had. */
  lock(sql: Sql, issuer: CaRole): Promise<unknown> {
    return sql.query(`SELECT pg_advisory_xact_lock(hashtext('pki_crls'), hashtext($1))`, [issuer]);
  }

  /** Signs the next CRL in the transaction of `sql`, which has the lock. */
  async sign(sql: Sql, issuer: CaRole): Promise<RevocationList> {
    const now = this.clock.now();
    const [last] = await rowsOf<{ number: number }>(sql, 'SELECT number FROM pki_crls WHERE issuer = $1', [issuer]);
    const number = (last?.number ?? 0) + 1;
    const entries = issuer === 'intermediate' ? await revokedIn(sql, now) : [];
    const thisUpdate = new Date(now - BACKDATED_MS);
    const nextUpdate = new Date(now + terms[issuer].days * DAY_MS);
    const crl = await this.authority.signCrl(issuer, { number, thisUpdate, nextUpdate, entries });
    const der = Buffer.from(crl.rawData);
    await sql.query(
      `INSERT INTO pki_crls (issuer, number, this_update, next_update, entries, der) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (issuer) DO UPDATE SET number = $2, this_update = $3, next_update = $4, entries = $5, der = $6`,
      [issuer, number, thisUpdate, nextUpdate, entries.length, der],
    );
    await sql.query(`SELECT pg_notify('${PKI_CHANNEL}', '')`);
    return { issuer, number, thisUpdate, nextUpdate, entries: entries.length, der };
  }

  /** Makes the CRL that is missing or ends soon. @throws Error where the key of the root is kept elsewhere and needed */
  async refresh(issuer: CaRole): Promise<void> {
    const now = this.clock.now();
    const isFresh = async (sql: Sql) => {
      const list = (await this.#all(sql)).find((each) => each.issuer === issuer);
      return list !== undefined && !isDue(issuer, list.nextUpdate, now);
    };
    if (await isFresh(this.source)) return;
    await inTransaction(this.source, async (sql) => {
      await this.lock(sql, issuer);
      if (!(await isFresh(sql))) await this.sign(sql, issuer);
    });
  }

  /** Both CRLs, the root's first. */
  async all(): Promise<RevocationList[]> {
    return this.#all(this.source);
  }

  /** Of the intermediate, then of the root: most programs read the first only. */
  async pem(): Promise<string> {
    return (await this.all())
      .toReversed()
      .map((list) => `${crlPem(list)}\n`)
      .join('');
  }

  /** @throws AppError where there is none yet */
  async current(issuer: CaRole): Promise<RevocationList> {
    const list = (await this.all()).find((each) => each.issuer === issuer);
    if (!list) throw new AppError('not_found', `There is no CRL of the ${issuer} CA yet`);
    return list;
  }

  async #all(sql: Sql): Promise<RevocationList[]> {
    const rows = await rowsOf<Row>(sql, 'SELECT * FROM pki_crls ORDER BY issuer DESC');
    return rows.map(listOf);
  }
}

/** What ended long ago needs no revocation any more; RFC 5280 wants it on one CRL after its end. */
async function revokedIn(sql: Sql, now: number): Promise<RevokedEntry[]> {
  const ended = new Date(now - terms.intermediate.days * DAY_MS);
  return rowsOf<RevokedEntry>(
    sql,
    `SELECT serial, revoked_at AS "revokedAt", reason FROM pki_certificates
      WHERE status = 'revoked' AND not_after > $1 ORDER BY revoked_at, serial`,
    [ended],
  );
}
