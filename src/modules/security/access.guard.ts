import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Settings } from '../../config/settings.js';
import { AppError } from '../../kernel/errors.js';
import { AuditTrail } from '../audit/audit.port.js';
import { ACCESS, type Access, type Permission } from './access.port.js';
import { Authenticator } from './authenticator.port.js';
import { peerCertificate } from './peer-certificate.js';
import { rolesWith } from './permissions.js';
import type { AuthenticatedRequest, Caller } from './principal.port.js';

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
    if (access && this.#isOpen(access)) return true;
    const caller = await this.#caller(request);
    request.user = caller;
    if (access && 'permission' in access) this.#mustHave(access.permission, caller, request);
    if (!access) throw new AppError('forbidden', `${request.method} ${request.path} declares no permission`);
    return true;
  }

  #isOpen(access: Access): boolean {
    if ('permission' in access) return false;
    return access.rule === 'open' || (access.rule === 'docs' && this.settings.security.docsOpen);
  }

  async #caller(request: AuthenticatedRequest): Promise<Caller> {
    const from = { address: request.ip ?? '', requestId: request.id ?? '', certificate: peerCertificate(request) };
    return { ...(await this.authenticator.authenticate(request)), ...from };
  }

  #mustHave(permission: Permission, caller: Caller, request: AuthenticatedRequest): void {
    if (caller.permissions.has(permission)) return;
    this.audit.refused(caller, { action: `http.${request.method.toLowerCase()}`, detail: { permission } });
    throw new AppError(
      'forbidden',
      `Insufficient permissions: ${permission} is needed. Required roles (any): [${rolesWith(permission).join(', ')}]`,
    );
  }
}
