/** Why a handshake failed; a closed list, since it labels a metric. */
export type HandshakeFailure =
  | 'no_certificate'
  | 'untrusted'
  | 'expired'
  | 'not_yet_valid'
  | 'revoked'
  | 'wrong_purpose'
  | 'crl_expired'
  | 'plain_http'
  | 'protocol'
  | 'timeout'
  | 'disconnected'
  | 'other';

/** What OpenSSL says of the certificate of a client; anything else of it is `untrusted`. */
const verification: Record<string, HandshakeFailure> = {
  CERT_REVOKED: 'revoked',
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not_yet_valid',
  INVALID_PURPOSE: 'wrong_purpose',
  CRL_HAS_EXPIRED: 'crl_expired',
};

const codes: Record<string, HandshakeFailure> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'no_certificate',
  ERR_SSL_HTTP_REQUEST: 'plain_http',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'protocol',
  ERR_SSL_WRONG_VERSION_NUMBER: 'protocol',
  ERR_SSL_NO_SHARED_CIPHER: 'protocol',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'protocol',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
  ECONNRESET: 'disconnected',
};

/**
 * @param code of the error
 * @param authorizationError what the verification of the certificate ended with, where there was one
 */
export function handshakeFailure(code: string | undefined, authorizationError: string | undefined): HandshakeFailure {
  if (authorizationError) return verification[authorizationError] ?? 'untrusted';
  return codes[code ?? ''] ?? 'other';
}
