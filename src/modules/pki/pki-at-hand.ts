import type { DataSource } from 'typeorm';
import type { Settings } from '../../config/settings.js';
import { SystemClock, type Clock } from '../../kernel/clock.js';
import { inTransaction, rowsOf } from '../../kernel/transaction.js';
import type { AuditTrail } from '../audit/audit.port.js';
import { operator } from '../security/principal.port.js';
import { DatabaseAuthority, type Authority } from './authority.js';
import { Certificates, type CertificateRow, type IssueWish } from './certificates.service.js';
import { Enrolment } from './enrolment.js';
import { RevocationLists } from './revocation-lists.js';
import { unseal, type SealedKey } from './sealed-key.js';

interface Context {
  settings: Settings;
  dataSource: DataSource;
  audit: AuditTrail;
}

/** The PKI of a database without the application around it. */
export class PkiAtHand {
  readonly #settings: Settings['pki'];
  readonly #audit: AuditTrail;
  readonly source: DataSource;
  readonly authority: Authority;
  readonly lists: RevocationLists;
  readonly certificates: Certificates;
  readonly enrolment: Enrolment;

  private constructor({ settings, dataSource: source, audit }: Context, authority: Authority, clock: Clock) {
    this.#settings = settings.pki;
    this.source = source;
    this.#audit = audit;
    this.authority = authority;
    this.lists = new RevocationLists(source, authority, clock);
    this.certificates = new Certificates(source, authority, this.lists, audit, clock);
    this.enrolment = new Enrolment(source, this.certificates, audit, clock);
  }

  /** @throws Error where the passphrase is missing or another */
  static async open(context: Context): Promise<PkiAtHand> {
    const { pki } = context.settings;
    if (!pki.passphrase)
      throw new Error(
        'CLARA_PKI_PASSPHRASE: is missing; make one with "openssl rand -base64 32", keep it, and set it here as for the application',
      );
    const clock = new SystemClock();
    const authority = await DatabaseAuthority.open(context.dataSource, context.audit, {
      ...pki,
      now: () => clock.now(),
    });
    const hand = new PkiAtHand(context, authority, clock);
    await hand.lists.refresh('intermediate');
    return hand;
  }

  issue(wish: IssueWish): Promise<CertificateRow> {
    const days = Math.min(wish.days, this.#settings.certificate.maxDays);
    return this.certificates.issue({ ...wish, days }, operator());
  }

  /** As a server shows it: the certificate, then the intermediate. */
  chainOf({ pem }: CertificateRow): string {
    return `${pem}\n${this.authority.intermediate.toString('pem')}\n`;
  }

  /** Takes the key of the root out of the database once `keep` has it. */
  takeRootKey(keep: (sealed: SealedKey) => Promise<void>): Promise<void> {
    return inTransaction(this.source, async (sql) => {
      const [row] = await rowsOf<{ sealed_key: SealedKey | null }>(
        sql,
        "SELECT sealed_key FROM pki_authorities WHERE role = 'root' FOR UPDATE",
      );
      if (!row?.sealed_key) throw new Error('the key of the root CA is not in this database');
      await sql.query("UPDATE pki_authorities SET sealed_key = NULL WHERE role = 'root'");
      await this.#recordRootKey(sql, 'take');
      await keep(row.sealed_key);
    });
  }

  /** @throws Error where the key does not open with the passphrase */
  async putRootKey(sealed: unknown): Promise<void> {
    (await unseal(sealed as SealedKey, this.#settings.passphrase, 'root')).fill(0);
    await inTransaction(this.source, async (sql) => {
      await sql.query("UPDATE pki_authorities SET sealed_key = $1 WHERE role = 'root'", [JSON.stringify(sealed)]);
      await this.#recordRootKey(sql, 'put');
    });
  }

  #recordRootKey(sql: Parameters<AuditTrail['record']>[0], verb: 'take' | 'put'): Promise<void> {
    const target = { type: 'authority', id: this.authority.root.serialNumber };
    return this.#audit.record(sql, operator(), { action: `pki.root_key.${verb}`, target, outcome: 'done' });
  }
}
