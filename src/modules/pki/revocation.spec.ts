import { reasonNames, reasonOf, revocationReasons, revoke } from './revocation.js';

const active = { status: 'active', reason: null } as const;
const held = { status: 'revoked', reason: 'certificateHold' } as const;
const gone = { status: 'revoked', reason: 'keyCompromise' } as const;

describe('revocation', () => {
  it('knows the ten reasons of RFC 5280 by their codes', () => {
    expect(Object.values(revocationReasons)).toEqual([0, 1, 2, 3, 4, 5, 6, 8, 9, 10]);
  });

  it.each(['keyCompromise', 'key_compromise', 'KEY_COMPROMISE', 'KeyCompromise'])('reads %s', (text) => {
    expect(reasonOf(text)).toBe('keyCompromise');
  });

  it.each(['', 'boredom', '1', 'constructor', '__proto__'])('does not read %p', (text) => {
    expect(reasonOf(text)).toBeUndefined();
  });

  it.each(reasonNames.filter((name) => name !== 'removeFromCRL'))('revokes what is valid: %s', (reason) => {
    expect(revoke(active, reason)).toEqual({ status: 'revoked', reason });
  });

  it('lifts a hold, or makes it final', () => {
    expect(revoke(held, 'removeFromCRL')).toEqual(active);
    expect(revoke(held, 'keyCompromise')).toEqual(gone);
    expect(revoke(held, 'certificateHold')).toHaveProperty('refused');
  });

  it('is final otherwise', () => {
    for (const reason of reasonNames) expect(revoke(gone, reason)).toHaveProperty('refused');
    expect(revoke(active, 'removeFromCRL')).toHaveProperty('refused');
  });
});
