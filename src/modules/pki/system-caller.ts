import type { Caller } from '../security/principal.port.js';

/** Who acts where no request stands behind it: the application itself, a shell, the holder of an enrolment token. */
export function systemCaller(subject: string, from: Partial<Caller> = {}): Caller {
  const caller = {
    subject,
    roles: [],
    permissions: new Set<never>(),
    via: 'system' as const,
    expiresAt: null,
    tokenId: null,
    address: '',
    requestId: '',
    certificate: null,
    ...from,
  };
  return caller;
}
