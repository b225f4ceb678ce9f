import { Injectable } from '@nestjs/common';
import { createHash, timingSafeEqual } from 'node:crypto';
import {
  BasicOCSPResponse,
  CertStatus,
  id_pkix_ocsp_basic,
  id_pkix_ocsp_nonce,
  KeyHash,
  OCSPRequest,
  OCSPResponse,
  OCSPResponseStatus,
  ResponderID,
  ResponseBytes,
  ResponseData,
  RevokedInfo,
  SingleResponse,
  type CertID,
} from '@peculiar/asn1-ocsp';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier, Certificate, CRLReason, Extension, Extensions } from '@peculiar/asn1-x509';
import { AsnEcSignatureFormatter, type X509Certificate } from '@peculiar/x509';
import { Clock } from '../../kernel/clock.js';
import { Authority } from './authority.js';
import { Certificates, type CertificateRow } from './certificates.service.js';
import { caAlgorithms } from './certificate-profile.js';
import { revocationReasons } from './revocation.js';

const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const hashes: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const MOST_REQUESTS = 20;
/** RFC 8954: more is not answered. */
const LONGEST_NONCE = 32;
const BACKDATED_MS = 5 * 60_000;
const NEXT_MS = 60 * 60_000;

/** Tells of single certificates whether they are revoked (RFC 6960), signed by the intermediate itself; nothing is cached. */
@Injectable()
export class OcspResponder {
  constructor(
    private readonly authority: Authority,
    private readonly certificates: Certificates,
    private readonly clock: Clock,
  ) {}

  /** @returns the answer in DER; a request that cannot be read is answered with malformedRequest */
  async answer(der: Buffer): Promise<Buffer> {
    const request = parse(der);
    const asked = request?.tbsRequest.requestList.map(({ reqCert }) => reqCert) ?? [];
    const nonce = request?.tbsRequest.requestExtensions?.find(({ extnID }) => extnID === id_pkix_ocsp_nonce);
    const isLong = (nonce?.extnValue.byteLength ?? 0) > LONGEST_NONCE + 4;
    if (asked.length === 0 || asked.length > MOST_REQUESTS || isLong)
      return failed(OCSPResponseStatus.malformedRequest);
    const responses = await Promise.all(asked.map((id) => this.#single(id)));
    const data = new ResponseData({
      responderID: new ResponderID({ byKey: new KeyHash(keyHash(this.authority.intermediate, 'sha1')) }),
      producedAt: toSecond(this.clock.now()),
      responses,
      ...(nonce ? { responseExtensions: new Extensions([new Extension(nonce)]) } : {}),
    });
    return this.#signed(data);
  }

  async #signed(tbsResponseData: ResponseData): Promise<Buffer> {
    const raw = await this.authority.sign(AsnConvert.serialize(tbsResponseData));
    const signature = new AsnEcSignatureFormatter().toAsnSignature(caAlgorithms.intermediate, raw);
    if (!signature) throw new Error('the signature of an OCSP answer could not be written');
    const response = new BasicOCSPResponse({
      tbsResponseData,
      signatureAlgorithm: new AlgorithmIdentifier({ algorithm: ECDSA_SHA256 }),
      signature,
      certs: [AsnConvert.parse(this.authority.intermediate.rawData, Certificate)],
    });
    const responseBytes = new ResponseBytes({
      responseType: id_pkix_ocsp_basic,
      response: new OctetString(AsnConvert.serialize(response)),
    });
    return der(new OCSPResponse({ responseStatus: OCSPResponseStatus.successful, responseBytes }));
  }

  async #single(certID: CertID): Promise<SingleResponse> {
    const now = this.clock.now();
    const serial = Buffer.from(certID.serialNumber).toString('hex');
    const row = this.#isOurs(certID) ? await this.certificates.bySerial(serial) : undefined;
    return new SingleResponse({
      certID,
      certStatus: statusOf(row),
      thisUpdate: toSecond(now - BACKDATED_MS),
      nextUpdate: toSecond(now + NEXT_MS),
    });
  }

  /** Whether our intermediate is the issuer that is asked about. */
  #isOurs({ hashAlgorithm, issuerNameHash, issuerKeyHash }: CertID): boolean {
    const hash = hashes[hashAlgorithm.algorithm];
    if (!hash) return false;
    const { intermediate } = this.authority;
    const name = createHash(hash).update(Buffer.from(intermediate.subjectName.toArrayBuffer())).digest();
    return isSame(name, issuerNameHash) && isSame(keyHash(intermediate, hash), issuerKeyHash);
  }
}

/** DER knows no fractions of a second (RFC 5280, 4.1.2.5.2). */
const toSecond = (time: number): Date => new Date(Math.floor(time / 1000) * 1000);

function parse(bytes: Buffer): OCSPRequest | undefined {
  try {
    return AsnConvert.parse(bytes, OCSPRequest);
  } catch {
    return undefined;
  }
}

const der = (response: OCSPResponse): Buffer => Buffer.from(AsnConvert.serialize(response));
const failed = (responseStatus: OCSPResponseStatus): Buffer => der(new OCSPResponse({ responseStatus }));

function isSame(own: Buffer, asked: OctetString): boolean {
  const other = Buffer.from(asked.buffer);
  return own.length === other.length && timingSafeEqual(own, other);
}

/** Of the key's bits alone, without their type, as RFC 6960 wants it. */
function keyHash(certificate: X509Certificate, hash: string): Buffer {
  const { subjectPublicKey } = AsnConvert.parse(certificate.rawData, Certificate).tbsCertificate.subjectPublicKeyInfo;
  return createHash(hash).update(Buffer.from(subjectPublicKey)).digest();
}

/** Good is what we issued and is not revoked; of serial numbers we never gave we know nothing. */
function statusOf(row: CertificateRow | undefined): CertStatus {
  if (!row) return new CertStatus({ unknown: null });
  if (row.status === 'active' || !row.revoked_at) return new CertStatus({ good: null });
  const reason = row.reason ?? 'unspecified';
  return new CertStatus({
    revoked: new RevokedInfo({
      revocationTime: toSecond(row.revoked_at.getTime()),
      ...(reason === 'unspecified' ? {} : { revocationReason: new CRLReason(revocationReasons[reason]) }),
    }),
  });
}
