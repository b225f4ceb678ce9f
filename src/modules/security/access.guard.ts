import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Settings } from '../../config/settings.js';
import { AppError } from '../../kernel/errors.js';
import { AuditTrail } from '../audit/audit.port.js';
import { ACCESS, type Access, type Permission } from './access.port.js';
import { Authenticator } from './authenticator.port.js';
import { peerCertificate } from './peer-certificate.port.js';
import { rolesWith } from './permissions.js';
import type { AuthenticatedRequest, Caller } from './principal.port.js';

/** By its pattern: the same for all ids, so that equal refusals are counted together. */
function whatOf(request: AuthenticatedRequest): { action: string; target: { type: string; id: string } } {
  const { path } = request.route as { path: string };
  return { action: `http.${request.method.toLowerCase()}`, target: { type: 'route', id: path } };
}

const neededFor = (access: Access): Permission | undefined => {
  if ('permission' in access) return access.permission;
  return access.rule === 'metrics' ? 'metrics:read' : undefined;
};

/** The holder of a client certificate and no more: enough where any known caller is, and for no permission. */
function withCertificate(access: Access, request: AuthenticatedRequest): Caller | undefined {
  const certificate = peerCertificate(request);
  const isEnough = 'rule' in access && access.rule === 'known' && request.headers.authorization === undefined;
  if (!isEnough || certificate === null) return undefined;
  return {
    subject: `certificate:${certificate}`,
    roles: [],
    groups: [],
    permissions: new Set(),
    via: 'certificate',
    expiresAt: null,
    tokenId: null,
    address: request.ip ?? '',
    requestId: request.id ?? '',
    certificate,
  };
}

/** A request of this machine itself; what a proxy here passes on for others is none. */
function isLocal({ socket, headers }: AuthenticatedRequest): boolean {
  const passedOn = 'x-forwarded-for' in headers || 'forwarded' in headers || 'via' in headers;
  return !passedOn && /^(::1$|(::ffff:)?127\.)/.test(socket.remoteAddress ?? '');
}

/** Asks every request who makes it, and whether they may. A route that declares nothing is closed. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly settings: Settings,
    private readonly audit: AuditTrail,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [
      context.getHandler(),
      context.getClass(),
    ]);
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    if (!access) throw new AppError('forbidden', `${request.method} ${request.path} declares no permission`);
    if (this.#isOpen(access, request)) return true;
    const caller = withCertificate(access, request) ?? (await this.#caller(request));
    request.user = caller;
    const needed = neededFor(access);
    if (needed) this.#mustHave(needed, caller, request);
    return true;
  }

  #isOpen(access: Access, request: AuthenticatedRequest): boolean {
    if ('permission' in access) return false;
    switch (access.rule) {
      case 'open':
        return true;
      case 'docs':
        return this.settings.security.docsOpen;
      case 'metrics':
        return isLocal(request) || peerCertificate(request) !== null;
      case 'known':
        return false;
    }
  }

  async #caller(request: AuthenticatedRequest): Promise<Caller> {
    const from = { address: request.ip ?? '', requestId: request.id ?? '', certificate: peerCertificate(request) };
    try {
      return { ...(await this.authenticator.authenticate(request)), ...from };
    } catch (error) {
      if (error instanceof AppError && error.code === 'unauthorized')
        this.audit.refused(from, { ...whatOf(request), detail: { status: 401, reason: error.message } });
      throw error;
    }
  }

  #mustHave(permission: Permission, caller: Caller, request: AuthenticatedRequest): void {
    if (caller.permissions.has(permission)) return;
    this.audit.refused(caller, { ...whatOf(request), detail: { status: 403, permission } });
    throw new AppError(
      'forbidden',
      `Insufficient permissions: ${permission} is needed. Required roles (any): [${rolesWith(permission).join(', ')}]`,
    );
  }
}
