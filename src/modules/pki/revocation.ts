/** The reasons of RFC 5280, section 5.3.1, with their codes. */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  removeFromCRL: 8,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const;

export type RevocationReason = keyof typeof revocationReasons;
export const reasonNames = Object.keys(revocationReasons) as RevocationReason[];

/** The reason as RFC 5280, snake case or capitals write it; undefined where there is none. */
export function reasonOf(text: string): RevocationReason | undefined {
  const bare = text.replace(/[_-]/g, '').toLowerCase();
  return reasonNames.find((name) => name.toLowerCase() === bare);
}

export interface Standing {
  status: 'active' | 'revoked';
  reason: RevocationReason | null;
}

/** What a revocation makes of a certificate, or why it cannot be. Only a hold can be lifted or made final. */
export function revoke(now: Standing, reason: RevocationReason): Standing | { refused: string } {
  const isHeld = now.status === 'revoked' && now.reason === 'certificateHold';
  if (reason === 'removeFromCRL')
    return isHeld
      ? { status: 'active', reason: null }
      : { refused: 'only a certificate on hold can be removed from the CRL' };
  if (now.status === 'active') return { status: 'revoked', reason };
  if (isHeld && reason !== 'certificateHold') return { status: 'revoked', reason };
  return { refused: `it is revoked already (${now.reason ?? 'unspecified'})` };
}
