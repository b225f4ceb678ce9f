import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import type { AuthenticatedRequest } from './principal.port.js';

/** Debug mode: no token is asked for, everybody is the mock user. */
@Injectable()
export class DebugGuard implements CanActivate {
  constructor(private readonly settings: Settings) {}

  canActivate(context: ExecutionContext): boolean {
    const { debugUser, debugRoles } = this.settings.security;
    context.switchToHttp().getRequest<AuthenticatedRequest>().user = { subject: debugUser, roles: debugRoles };
    return true;
  }
}
