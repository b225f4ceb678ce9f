import { systemCaller } from '../security/principal.port.js';
import { webcrypto } from 'node:crypto';
import { X509Certificate, type X509Crl } from '@peculiar/x509';
import type { DataSource } from 'typeorm';
import { AppError } from '../../kernel/errors.js';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import type { AuditTrail } from '../audit/audit.port.js';
import {
  caAlgorithms,
  makeCrl,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  type CaRole,
  type CrlWish,
  type LeafWish,
  type Signer,
} from './certificate-profile.js';
import { seal, unseal, type SealedKey } from './sealed-key.js';

const { subtle } = webcrypto;
/** "pki": of several applications that start at once one makes the CA. */
const AUTHORITY_LOCK = 0x706b69;

/** What signs; without one, nothing of the PKI can be had. */
export abstract class Authority {
  abstract readonly root: X509Certificate;
  abstract readonly intermediate: X509Certificate;
  abstract issue(wish: LeafWish): Promise<X509Certificate>;
  /** @throws Error where the key of the root is kept elsewhere */
  abstract signCrl(issuer: CaRole, wish: CrlWish): Promise<X509Crl>;
  /** ECDSA with SHA-256, by the intermediate; r and s one after the other. */
  abstract sign(data: ArrayBuffer): Promise<ArrayBuffer>;
}

/** Stands in where CLARA_PKI_ENABLED is false. */
export class NoAuthority extends Authority {
  get root(): X509Certificate {
    throw off();
  }

  get intermediate(): X509Certificate {
    throw off();
  }

  issue(): Promise<X509Certificate> {
    return Promise.reject(off());
  }

  signCrl(): Promise<X509Crl> {
    return Promise.reject(off());
  }

  sign(): Promise<ArrayBuffer> {
    return Promise.reject(off());
  }
}

const off = () =>
  new AppError('not_found', 'This application runs no certificate authority; CLARA_PKI_ENABLED=true turns it on');

export interface AuthorityOptions {
  passphrase: string;
  /** Where others reach the PKI: it stands in every certificate. */
  url: string;
  now: () => number;
}

interface Row {
  role: CaRole;
  certificate: string;
  sealed_key: SealedKey | null;
}

/** The CA of a database. The key of the root is opened for a signature and let go; that of the intermediate stays open. */
export class DatabaseAuthority extends Authority {
  private constructor(
    readonly root: X509Certificate,
    private readonly signer: Signer,
    private readonly source: DataSource,
    private readonly options: AuthorityOptions,
  ) {
    super();
  }

  get intermediate(): X509Certificate {
    return this.signer.certificate;
  }

  /** Opens the CA of the database, and makes one where there is none. @throws Error where the passphrase is another */
  static async open(source: DataSource, audit: AuditTrail, options: AuthorityOptions): Promise<DatabaseAuthority> {
    const rows = await inTransaction(source, async (sql) => {
      await sql.query('SELECT pg_advisory_xact_lock($1)', [AUTHORITY_LOCK]);
      const found = await rowsIn(sql);
      return found.length > 0 ? found : make(sql, audit, options);
    });
    const root = rowOf(rows, 'root');
    const signer = await open(rowOf(rows, 'intermediate'), options.passphrase);
    return new DatabaseAuthority(new X509Certificate(root.certificate), signer, source, options);
  }

  issue(wish: LeafWish): Promise<X509Certificate> {
    return makeLeaf(wish, this.signer, this.options.url);
  }

  async signCrl(issuer: CaRole, wish: CrlWish): Promise<X509Crl> {
    const signer =
      issuer === 'intermediate'
        ? this.signer
        : await open(rowOf(await rowsIn(this.source), 'root'), this.options.passphrase);
    return makeCrl(wish, signer);
  }

  sign(data: ArrayBuffer): Promise<ArrayBuffer> {
    return subtle.sign(caAlgorithms.intermediate, this.signer.key, data);
  }
}

const rowsIn = (sql: Sql): Promise<Row[]> =>
  rowsOf<Row>(sql, 'SELECT role, certificate, sealed_key FROM pki_authorities');

function rowOf(rows: readonly Row[], role: CaRole): Row {
  const row = rows.find((each) => each.role === role);
  if (!row) throw new Error(`the database has no ${role} CA; was the table pki_authorities restored in part?`);
  return row;
}

async function open({ role, certificate, sealed_key }: Row, passphrase: string): Promise<Signer> {
  if (!sealed_key) throw new Error(`the key of the ${role} CA is not in this database; it is kept elsewhere`);
  const pkcs8 = await unseal(sealed_key, passphrase, role);
  const key = await subtle.importKey('pkcs8', pkcs8, caAlgorithms[role], false, ['sign']);
  pkcs8.fill(0);
  return { role, certificate: new X509Certificate(certificate), key };
}

async function make(sql: Sql, audit: AuditTrail, { passphrase, url, now }: AuthorityOptions): Promise<Row[]> {
  const [rootKeys, keys] = [await keysOf('root'), await keysOf('intermediate')];
  const root: Signer = { role: 'root', certificate: await makeRoot(rootKeys, now()), key: rootKeys.privateKey };
  const certificate = await makeIntermediate(keys, root, url, now());
  const rows = [
    await sealedRow('root', root.certificate, rootKeys, passphrase),
    await sealedRow('intermediate', certificate, keys, passphrase),
  ];
  for (const row of rows)
    await sql.query('INSERT INTO pki_authorities (role, certificate, sealed_key) VALUES ($1, $2, $3)', [
      row.role,
      row.certificate,
      JSON.stringify(row.sealed_key),
    ]);
  await audit.record(sql, systemCaller('system'), {
    action: 'pki.authority.create',
    target: { type: 'authority', id: root.certificate.serialNumber },
    outcome: 'done',
    detail: { intermediate: certificate.serialNumber },
  });
  return rows;
}

const keysOf = (role: CaRole): Promise<webcrypto.CryptoKeyPair> =>
  subtle.generateKey(caAlgorithms[role], true, ['sign', 'verify']);

async function sealedRow(
  role: CaRole,
  certificate: X509Certificate,
  keys: webcrypto.CryptoKeyPair,
  passphrase: string,
): Promise<Row> {
  const pkcs8 = Buffer.from(await subtle.exportKey('pkcs8', keys.privateKey));
  const sealed_key = await seal(pkcs8, passphrase, role);
  pkcs8.fill(0);
  return { role, certificate: certificate.toString('pem'), sealed_key };
}
