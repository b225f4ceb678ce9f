import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { PublicKey, X509Certificate } from '@peculiar/x509';
import { DataSource } from 'typeorm';
import { Clock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import { AuditTrail } from '../audit/audit.port.js';
import type { Caller } from '../security/principal.port.js';
import { Authority } from './authority.js';
import { mustBeNames, type Names } from './names.js';
import { revoke, type RevocationReason } from './revocation.js';
import { RevocationLists } from './revocation-lists.js';

/** A row of pki_certificates. */
export interface CertificateRow {
  certificate_id: string;
  serial: string;
  service_id: string;
  common_name: string;
  san_dns: string[];
  san_ip: string[];
  not_before: Date;
  not_after: Date;
  status: 'active' | 'revoked';
  reason: RevocationReason | null;
  revoked_at: Date | null;
  fingerprint: string;
  issuer: string;
  pem: string;
}

export interface IssueWish {
  names: Names;
  publicKey: PublicKey;
  days: number;
  /** What the audit trail calls it. */
  action: 'pki.certificate.issue' | 'pki.certificate.renew';
}

/** A service, a certificate or a serial number: one path leads to all. */
const REFERENCE = '(service_id = $1 OR certificate_id::text = $1 OR serial = $1)';
/** The valid one first, then the newest. */
const NEWEST = "ORDER BY (status = 'active' AND not_after > $2) DESC, issued_at DESC, certificate_id LIMIT 1";

/** The certificates that the CA has issued; each change with its CRL and its row of the trail in one transaction. */
@Injectable()
export class Certificates {
  constructor(
    private readonly source: DataSource,
    private readonly authority: Authority,
    private readonly lists: RevocationLists,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** @throws AppError naming every name that cannot stand in a certificate */
  issue(wish: IssueWish, caller: Caller): Promise<CertificateRow> {
    return inTransaction(this.source, (sql) => this.issueWithin(sql, wish, caller));
  }

  async issueWithin(sql: Sql, { names, publicKey, days, action }: IssueWish, caller: Caller): Promise<CertificateRow> {
    mustBeNames(names);
    const certificate = await this.authority.issue({ names, publicKey, days, now: this.clock.now() });
    const row = await insert(sql, names, certificate);
    await this.audit.record(sql, caller, {
      action,
      target: { type: 'certificate', id: row.serial },
      outcome: 'done',
      detail: { service_id: row.service_id, not_after: row.not_after.toISOString() },
    });
    return row;
  }

  /** @throws AppError where nothing has that name */
  async one(reference: string): Promise<CertificateRow> {
    const [row] = await rowsOf<CertificateRow>(
      this.source,
      `SELECT * FROM pki_certificates WHERE ${REFERENCE} ${NEWEST}`,
      [reference, new Date(this.clock.now())],
    );
    if (!row) throw unknown(reference);
    return row;
  }

  /** The one that can be renewed. @throws AppError where none is valid any more */
  async valid(reference: string): Promise<CertificateRow> {
    const row = await this.one(reference);
    if (row.status === 'revoked')
      throw new AppError('not_found', `The certificate of "${row.service_id}" is revoked; enrol the service again`);
    if (row.not_after.getTime() <= this.clock.now())
      throw new AppError(
        'not_found',
        `The certificate of "${row.service_id}" ended at ${row.not_after.toISOString()}; enrol the service again`,
      );
    return row;
  }

  /** Newest first. */
  list(): Promise<CertificateRow[]> {
    return rowsOf(this.source, 'SELECT * FROM pki_certificates ORDER BY issued_at DESC, certificate_id');
  }

  /** The newest of each service, where it ends within so many days. */
  ending(days: number): Promise<CertificateRow[]> {
    const now = this.clock.now();
    return rowsOf(
      this.source,
      `SELECT * FROM (SELECT DISTINCT ON (service_id) * FROM pki_certificates
         WHERE status = 'active' AND not_after > $1 ORDER BY service_id, issued_at DESC) AS newest
        WHERE not_after < $2 ORDER BY not_after`,
      [new Date(now), new Date(now + days * 86_400_000)],
    );
  }

  async bySerial(serial: string): Promise<CertificateRow | undefined> {
    const [row] = await rowsOf<CertificateRow>(this.source, 'SELECT * FROM pki_certificates WHERE serial = $1', [
      serial,
    ]);
    return row;
  }

  /** Serials of what is revoked and would be valid otherwise. */
  async revoked(): Promise<Set<string>> {
    const rows = await rowsOf<{ serial: string }>(
      this.source,
      "SELECT serial FROM pki_certificates WHERE status = 'revoked' AND not_after > $1",
      [new Date(this.clock.now())],
    );
    return new Set(rows.map(({ serial }) => serial));
  }

  /**
   * Revokes a certificate, or every valid one of a service, and signs the CRL that says so.
   * @throws AppError `not_found` where none is valid, `conflict` where it is revoked already
   */
  revoke(reference: string, reason: RevocationReason, caller: Caller): Promise<CertificateRow[]> {
    return inTransaction(this.source, async (sql) => {
      // Before the rows: whoever signs next must see what we change.
      await this.lists.lock(sql, 'intermediate');
      const found = await rowsOf<CertificateRow>(
        sql,
        `SELECT * FROM pki_certificates WHERE ${REFERENCE} AND not_after > $2 FOR UPDATE`,
        [reference, new Date(this.clock.now())],
      );
      if (found.length === 0) throw unknown(reference);
      const changed: CertificateRow[] = [];
      let refused = '';
      for (const row of found) {
        const next = revoke(row, reason);
        if ('refused' in next) ({ refused } = next);
        else changed.push(await this.#change(sql, row, next, { reason, caller }));
      }
      if (changed.length === 0) throw new AppError('conflict', `"${reference}" cannot be revoked: ${refused}`);
      await this.lists.sign(sql, 'intermediate');
      return changed;
    });
  }

  async #change(
    sql: Sql,
    { serial, service_id }: CertificateRow,
    next: Pick<CertificateRow, 'status' | 'reason'>,
    { reason, caller }: { reason: RevocationReason; caller: Caller },
  ): Promise<CertificateRow> {
    const [row] = await rowsOf<CertificateRow>(
      sql,
      'UPDATE pki_certificates SET status = $2, reason = $3, revoked_at = $4 WHERE serial = $1 RETURNING *',
      [serial, next.status, next.reason, next.status === 'revoked' ? new Date(this.clock.now()) : null],
    );
    await this.audit.record(sql, caller, {
      action: 'pki.certificate.revoke',
      target: { type: 'certificate', id: serial },
      outcome: 'done',
      detail: { service_id, reason },
    });
    return row as CertificateRow;
  }
}

const unknown = (reference: string) =>
  new AppError(
    'not_found',
    `No service, certificate or serial number "${reference.slice(0, 80)}" is known here with a certificate that has not ended`,
  );

async function insert(sql: Sql, names: Names, certificate: X509Certificate): Promise<CertificateRow> {
  const fingerprint = createHash('sha256').update(Buffer.from(certificate.rawData)).digest('hex');
  const [row] = await rowsOf<CertificateRow>(
    sql,
    `INSERT INTO pki_certificates
       (serial, service_id, common_name, san_dns, san_ip, not_before, not_after, fingerprint, issuer, pem)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *`,
    [
      certificate.serialNumber,
      names.serviceId,
      names.commonName,
      names.dns,
      names.ip,
      certificate.notBefore,
      certificate.notAfter,
      fingerprint,
      certificate.issuer,
      certificate.toString('pem'),
    ],
  );
  return row as CertificateRow;
}
