import { EnvError, bool, makeValidator, str } from 'envalid';
import { httpUrl, list, listOf, whole } from './setting-kinds.js';

export const securityModes = ['debug', 'development', 'production', 'testing'] as const;
export type SecurityMode = (typeof securityModes)[number];

export const jwtAlgorithms = ['RS256', 'ES256', 'EdDSA'] as const;

const mode = makeValidator<SecurityMode>((input) => {
  const known = securityModes.find((name) => name === input);
  if (known) return known;
  throw new EnvError(`"${input}" is not a security mode; there are ${securityModes.join(', ')}`);
});

export const securitySpecs = {
  CLARA_SECURITY_MODE: mode({ desc: 'Security mode. Required: an unset or mistyped mode does not start.' }),
  CLARA_JWT_ENABLED: bool({
    default: undefined,
    desc: 'Whether tokens are asked for: false in debug mode, true in every other. What contradicts the mode does not start.',
  }),
  DEBUG_USER_ROLES: list({ default: ['admin', 'trainer', 'analyst'], desc: 'Roles of the mock user in debug mode.' }),
  DEBUG_USER_ID: str({ default: 'debug-user', desc: 'Name of the mock user in debug mode.' }),
  CLARA_ALLOW_REMOTE_DEBUG: bool({
    default: false,
    desc: 'Let debug and testing mode bind an address that is not loopback (everyone who reaches it gets in).',
  }),
  KEYCLOAK_URL: httpUrl({ default: 'http://localhost:8080', desc: 'Keycloak, as it stands in its tokens.' }),
  KEYCLOAK_REALM: str({ default: 'vcc', desc: 'Realm in Keycloak; the issuer is KEYCLOAK_URL/realms/KEYCLOAK_REALM.' }),
  KEYCLOAK_CLIENT_ID: str({ default: 'clara-training-system', desc: 'Client, and audience of the tokens.' }),
  CLARA_JWKS_URL: httpUrl({
    default: undefined,
    desc: 'Where the keys of the issuer are fetched. Unset: the issuer, then /protocol/openid-connect/certs.',
  }),
  CLARA_JWT_ALGORITHMS: listOf(jwtAlgorithms)({
    default: ['RS256'],
    desc: 'Signatures that tokens may have: RS256, ES256, EdDSA.',
  }),
  CLARA_JWT_LEEWAY_SECONDS: whole(0, 300)({ default: 30, desc: 'Clock difference to the issuer that is forgiven.' }),
  CLARA_TOKEN_MAX_DAYS: whole(1, 3650)({ default: 365, desc: 'Longest life of a personal access token.' }),
  CLARA_DOCS_OPEN: bool({
    default: undefined,
    desc: 'Show /docs, /redoc and /openapi.json without a token. Unset: in every mode but production.',
  }),
};

type Read = {
  CLARA_SECURITY_MODE: SecurityMode;
  CLARA_JWT_ENABLED: boolean | undefined;
  DEBUG_USER_ROLES: string[];
  DEBUG_USER_ID: string;
  CLARA_ALLOW_REMOTE_DEBUG: boolean;
  KEYCLOAK_URL: string;
  KEYCLOAK_REALM: string;
  KEYCLOAK_CLIENT_ID: string;
  CLARA_JWKS_URL: string | undefined;
  CLARA_JWT_ALGORITHMS: (typeof jwtAlgorithms)[number][];
  CLARA_JWT_LEEWAY_SECONDS: number;
  CLARA_TOKEN_MAX_DAYS: number;
  CLARA_DOCS_OPEN: boolean | undefined;
  CLARA_HOST: string;
};

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/** What contradicts the mode; never silently taken as less security than was asked for. */
export function securityProblems(read: Read): string[] {
  const problems: string[] = [];
  const { CLARA_SECURITY_MODE: name } = read;
  const open = name === 'debug' || name === 'testing';
  if (open && read.CLARA_HOST && !isLoopback(read.CLARA_HOST) && !read.CLARA_ALLOW_REMOTE_DEBUG)
    problems.push(
      `CLARA_HOST: "${read.CLARA_HOST}" is not a loopback address, and ${name} mode lets everyone in; ` +
        'use 127.0.0.1, or set CLARA_ALLOW_REMOTE_DEBUG=true if the network around it is closed (a container)',
    );
  if (name === 'debug' && read.CLARA_JWT_ENABLED)
    problems.push('CLARA_JWT_ENABLED: debug mode checks no tokens; unset it, or use development mode');
  if (name !== undefined && name !== 'debug' && read.CLARA_JWT_ENABLED === false)
    problems.push(`CLARA_JWT_ENABLED: ${name} mode cannot do without tokens; unset it, or use debug mode`);
  return problems;
}

export function securityOf(read: Read) {
  const issuer = `${read.KEYCLOAK_URL}/realms/${read.KEYCLOAK_REALM}`;
  return {
    mode: read.CLARA_SECURITY_MODE,
    debugUser: read.DEBUG_USER_ID,
    debugRoles: read.DEBUG_USER_ROLES,
    issuer,
    audience: read.KEYCLOAK_CLIENT_ID,
    jwksUrl: read.CLARA_JWKS_URL ?? `${issuer}/protocol/openid-connect/certs`,
    algorithms: read.CLARA_JWT_ALGORITHMS,
    leewaySeconds: read.CLARA_JWT_LEEWAY_SECONDS,
    tokenMaxDays: read.CLARA_TOKEN_MAX_DAYS,
    docsOpen: read.CLARA_DOCS_OPEN ?? read.CLARA_SECURITY_MODE !== 'production',
  } as const;
}
