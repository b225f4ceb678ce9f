import { X509Certificate } from '@peculiar/x509';

const blocks = (text: string, kind: string): string[] =>
  text.match(new RegExp(`-----BEGIN ${kind}-----[^-]+-----END ${kind}-----`, 'g')) ?? [];

/** node:tls reads the first CRL of a text only. */
export const crlsIn = (text: string): string[] => blocks(text, 'X509 CRL');

export const certificatesIn = (text: string): X509Certificate[] =>
  blocks(text, 'CERTIFICATE').map((pem) => new X509Certificate(pem));
