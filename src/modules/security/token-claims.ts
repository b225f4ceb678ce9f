import type { JWTPayload, ProtectedHeaderParameters } from 'jose';
import { isRole, permissionsOf } from './permissions.js';
import type { Principal } from './principal.port.js';

/** What a token must say. */
export interface Expectation {
  audience: string;
  leewaySeconds: number;
}

const LONGEST_SUBJECT = 255;
/** A token that brings its own key, or tells where to fetch it, proves nothing. */
const FOREIGN_KEYS = ['jku', 'jwk', 'x5u', 'x5c', 'crit'] as const;
/** Kinds of Keycloak's tokens that are no access tokens. */
const NO_ACCESS = ['refresh', 'offline', 'id', 'logout'];

/** What is wrong with the header, in words; undefined: nothing. */
export function headerProblem(header: ProtectedHeaderParameters): string | undefined {
  const foreign = FOREIGN_KEYS.find((name) => name in header);
  return foreign && `the header ${foreign} is not allowed`;
}

/** What is wrong with the claims beside signature, issuer, audience, exp and nbf; undefined: nothing. */
export function claimsProblem(claims: JWTPayload, { leewaySeconds }: Expectation, now: number): string | undefined {
  const { sub, iat, exp } = claims;
  if (typeof sub !== 'string' || sub === '' || sub.length > LONGEST_SUBJECT) return 'the claim sub is missing';
  if (typeof exp !== 'number') return 'the claim exp is missing';
  if (iat !== undefined && (typeof iat !== 'number' || iat > now / 1000 + leewaySeconds))
    return 'the claim iat lies in the future';
  const kind = claims['typ'];
  if (typeof kind === 'string' && NO_ACCESS.includes(kind.toLowerCase()))
    return `a token of type ${kind} gives no access`;
  return undefined;
}

/** The caller that checked claims speak of; `sub` and `exp` are there. */
export function principalOf(claims: JWTPayload, { audience }: Expectation): Principal {
  const roles = rolesOf(claims, audience);
  return {
    subject: String(claims.sub),
    roles,
    groups: groupsOf(claims['groups']),
    permissions: permissionsOf(roles),
    via: 'token',
    expiresAt: Number(claims.exp) * 1000,
    tokenId: null,
  };
}

/** Roles of the realm, and those of the client that this application is. */
function rolesOf(claims: JWTPayload, client: string): string[] {
  const ofRealm = namesIn(claims['realm_access']);
  const ofClient = namesIn(memberOf(claims['resource_access'], client));
  return [...new Set([...ofRealm, ...ofClient])].filter(isRole);
}

const MOST_GROUPS = 200;

/** Keycloak writes the path of a group with a leading slash. */
function groupsOf(claim: unknown): string[] {
  if (!Array.isArray(claim)) return [];
  const names = claim.filter((name): name is string => typeof name === 'string' && name !== '' && name.length <= 100);
  return names.slice(0, MOST_GROUPS).map((name) => name.replace(/^\//, ''));
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function namesIn(access: unknown): string[] {
  const names = memberOf(access, 'roles');
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
}
