import { userInfo } from 'node:os';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { Permission } from './permissions.js';

/** Who calls, as credentials or the mode say. */
export interface Principal {
  /** The stable name: `sub` of a token. Never shown to other people. */
  subject: string;
  roles: readonly string[];
  /** Groups of the identity provider (claim `groups`), without a leading slash: whose documents the caller may read. */
  groups: readonly string[];
  permissions: ReadonlySet<Permission>;
  /** How it was found out. */
  via: 'debug' | 'token' | 'personal_token' | 'certificate' | 'system';
  /** Milliseconds since 1970 at which the credentials end; null: never. Sockets are closed then. */
  expiresAt: number | null;
  /** Of a personal access token; a revoked one ends what it opened. */
  tokenId: string | null;
}

/** A principal and the request it makes: everything that an audit row says of who, from where. */
export interface Caller extends Principal {
  /** Of the peer, or of the client behind a trusted proxy. */
  address: string;
  requestId: string;
  /** Serial number of the client certificate, in hexadecimal; null without one. */
  certificate: string | null;
}

/** As JSON keeps it: a set is a list there. */
export type Stored<T extends Principal> = Omit<T, 'permissions'> & { permissions: Permission[] };

export const stored = <T extends Principal>(who: T): Stored<T> => ({ ...who, permissions: [...who.permissions] });

export const restored = <T extends Principal>(kept: Stored<T>): T =>
  ({ ...kept, permissions: new Set(kept.permissions) }) as unknown as T;

export type AuthenticatedRequest = Request & { user?: Caller; id?: string };

/** The caller of a route, as the guard found it. */
export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { user } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!user) throw new Error('a route asks for its caller and is declared open');
  return user;
});

export const isAdmin = (principal: Principal): boolean =>
  principal.via === 'debug' || principal.roles.includes('admin');

/** Who acts where no request stands behind it: the application itself, a shell, the holder of an enrolment token. */
export function systemCaller(subject: string, from: Partial<Caller> = {}): Caller {
  const caller = {
    subject,
    roles: [],
    groups: [],
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

/** Whoever sits at the shell. */
export const operator = (): Caller => systemCaller(`shell:${userInfo().username}`);
