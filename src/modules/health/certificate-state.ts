import type { Identity } from '../pki/service-identity.port.js';

const DAY_MS = 86_400_000;
/** Below this a renewal should have happened long ago. */
const ENDING_DAYS = 14;

export interface CertificateState {
  hasEnded: boolean;
  isEnding: boolean;
  detail: { serial: string; not_after: string; days_left: number };
}

/** @param now milliseconds since 1970 */
export function certificateState({ serial, notAfter }: Pick<Identity, 'serial' | 'notAfter'>, now: number) {
  const left = notAfter.getTime() - now;
  const detail = { serial, not_after: notAfter.toISOString(), days_left: Math.floor(left / DAY_MS) };
  return { hasEnded: left <= 0, isEnding: left < ENDING_DAYS * DAY_MS, detail } satisfies CertificateState;
}
