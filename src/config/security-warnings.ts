import type { Settings } from './settings.js';

/** What every start says aloud where the mode protects less than production does. */
export function securityWarnings(settings: Pick<Settings, 'security' | 'tls' | 'audit' | 'postgres'>): string[] {
  return [...modeWarnings(settings), ...roleWarnings(settings)];
}

function roleWarnings({ audit, postgres }: Pick<Settings, 'audit' | 'postgres'>): string[] {
  if (!audit.enabled || !postgres || postgres.app) return [];
  return [
    `ONE DATABASE USER: ${postgres.user} owns the audit trail and could change it; name an owner in UDS3_POSTGRES_OWNER_USER (docs/AUDIT.md)`,
  ];
}

function modeWarnings({ security, tls }: Pick<Settings, 'security' | 'tls'>): string[] {
  if (security.mode === 'debug')
    return ['DEBUG MODE: no security at all, everybody who reaches the ports is admin. Never use it in production'];
  if (security.mode === 'testing')
    return ['TESTING MODE: signatures of tokens are not checked, anybody can be anyone. Never use it in production'];
  if (security.mode === 'production' && !tls.mutual)
    return ['PRODUCTION WITHOUT MUTUAL TLS: the ports speak plain HTTP, a TLS proxy must stand before them'];
  return [];
}
