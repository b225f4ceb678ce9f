import 'reflect-metadata';
import { randomBytes, type webcrypto } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { CRLNumber, id_ce_cRLNumber } from '@peculiar/asn1-x509';
import {
  AuthorityInfoAccessExtension,
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  CRLDistributionPointsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
  type PublicKey,
  type X509Certificate,
  type X509Crl,
} from '@peculiar/x509';
import type { Names } from './names.js';
import { revocationReasons, type RevocationReason } from './revocation.js';

const DAY_MS = 86_400_000;
/** Clocks of other machines may be behind ours. */
const BACKDATED_MS = 5 * 60_000;
const ROOT_DAYS = 20 * 365;
const INTERMEDIATE_DAYS = 10 * 365;
const ORGANISATION = 'CLARA';

export type CaRole = 'root' | 'intermediate';

/** BSI TR-02102-1 allows both curves; the root, which signs once, takes the longer one. */
export const caAlgorithms = {
  root: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  intermediate: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
} as const;

/** A CA that can sign. */
export interface Signer {
  role: CaRole;
  certificate: X509Certificate;
  key: webcrypto.CryptoKey;
}

/** Positive, 126 random bits, always 16 bytes: no two programs write it differently. */
export function newSerial(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return bytes.toString('hex');
}

/** @param latest a certificate does not outlive the one that signed it */
export function validity(now: number, days: number, latest?: Date): { notBefore: Date; notAfter: Date } {
  const end = now + days * DAY_MS;
  return {
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(latest ? Math.min(end, latest.getTime()) : end),
  };
}

const caName = (role: CaRole, id: string) => [
  { O: [ORGANISATION] },
  { CN: [`CLARA ${role === 'root' ? 'Root' : 'Intermediate'} CA ${id}`] },
];

const caExtensions = (pathLength: number): Extension[] => [
  new BasicConstraintsExtension(true, pathLength, true),
  new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
];

export async function makeRoot(keys: webcrypto.CryptoKeyPair, now: number): Promise<X509Certificate> {
  const serialNumber = newSerial();
  return X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: caName('root', serialNumber.slice(-8)),
    ...validity(now, ROOT_DAYS),
    keys,
    signingAlgorithm: caAlgorithms.root,
    extensions: [...caExtensions(1), await SubjectKeyIdentifierExtension.create(keys.publicKey)],
  });
}

export async function makeIntermediate(
  keys: webcrypto.CryptoKeyPair,
  root: Signer,
  url: string,
  now: number,
): Promise<X509Certificate> {
  const serialNumber = newSerial();
  return X509CertificateGenerator.create({
    serialNumber,
    subject: caName('intermediate', serialNumber.slice(-8)),
    issuer: root.certificate.subjectName.toJSON(),
    ...validity(now, INTERMEDIATE_DAYS, root.certificate.notAfter),
    publicKey: keys.publicKey,
    signingKey: root.key,
    signingAlgorithm: caAlgorithms.root,
    extensions: [
      ...caExtensions(0),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(root.certificate),
      new CRLDistributionPointsExtension([`${url}/api/v1/crl/root`]),
    ],
  });
}

export interface LeafWish {
  names: Names;
  publicKey: PublicKey;
  now: number;
  days: number;
}

/** A certificate for a service: server and client at once, since every service is both. */
export async function makeLeaf(wish: LeafWish, issuer: Signer, url: string): Promise<X509Certificate> {
  const { names, publicKey } = wish;
  const alternatives = [
    ...names.dns.map((value) => ({ type: 'dns' as const, value })),
    ...names.ip.map((value) => ({ type: 'ip' as const, value })),
  ];
  const isRsa = (publicKey.algorithm as { name: string }).name.startsWith('RSA');
  const usage = KeyUsageFlags.digitalSignature | (isRsa ? KeyUsageFlags.keyEncipherment : 0);
  return X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: [{ O: [ORGANISATION] }, { OU: [names.serviceId] }, { CN: [names.commonName] }],
    issuer: issuer.certificate.subjectName.toJSON(),
    ...validity(wish.now, wish.days, issuer.certificate.notAfter),
    publicKey,
    signingKey: issuer.key,
    signingAlgorithm: caAlgorithms[issuer.role],
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(usage, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      await SubjectKeyIdentifierExtension.create(publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.certificate),
      new CRLDistributionPointsExtension([`${url}/api/v1/crl`]),
      new AuthorityInfoAccessExtension({ ocsp: `${url}/api/v1/ocsp` }),
      ...(alternatives.length > 0 ? [new SubjectAlternativeNameExtension(alternatives)] : []),
    ],
  });
}

export interface RevokedEntry {
  serial: string;
  revokedAt: Date;
  reason: RevocationReason;
}

export interface CrlWish {
  number: number;
  thisUpdate: Date;
  nextUpdate: Date;
  entries: readonly RevokedEntry[];
}

export async function makeCrl(wish: CrlWish, issuer: Signer): Promise<X509Crl> {
  return X509CrlGenerator.create({
    issuer: issuer.certificate.subjectName.toJSON(),
    thisUpdate: wish.thisUpdate,
    nextUpdate: wish.nextUpdate,
    entries: wish.entries.map(({ serial, revokedAt, reason }) => ({
      serialNumber: serial,
      revocationDate: revokedAt,
      // RFC 5280: an unspecified reason is left out.
      ...(reason === 'unspecified' ? {} : { reason: revocationReasons[reason] }),
    })),
    signingKey: issuer.key,
    signingAlgorithm: caAlgorithms[issuer.role],
    extensions: [
      await AuthorityKeyIdentifierExtension.create(issuer.certificate),
      new Extension(id_ce_cRLNumber, false, AsnConvert.serialize(new CRLNumber(wish.number))),
    ],
  });
}
