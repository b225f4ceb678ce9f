import type { CertificateRow } from './certificates.service.js';

const DAY_MS = 86_400_000;

/** What every answer of the PKI has around it. */
export interface Envelope<T> {
  success: true;
  message: string;
  data: T;
}

export const envelope = <T>(message: string, data: T): Envelope<T> => ({ success: true, message, data });

const statusOf = ({ status, not_after }: CertificateRow, now: number): 'active' | 'expired' | 'revoked' =>
  status === 'active' && not_after.getTime() <= now ? 'expired' : status;

/** A certificate as its lists show it. */
export const certificateView = (row: CertificateRow, now: number) => ({
  certificate_id: row.certificate_id,
  service_id: row.service_id,
  common_name: row.common_name,
  serial_number: row.serial,
  fingerprint: row.fingerprint,
  not_before: row.not_before.toISOString(),
  not_after: row.not_after.toISOString(),
  status: statusOf(row, now),
  san_dns: row.san_dns,
  san_ip: row.san_ip,
  issuer: row.issuer,
  days_until_expiry: Math.floor((row.not_after.getTime() - now) / DAY_MS),
});
