import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { RequestLimit } from './request-limit.port.js';

/** A busy address must not look like a dead application to what watches it. */
const PROBES = new Set(['/health', '/healthz', '/readyz']);

/** Behind the guard that asks who calls: a token that fails is answered 401, however many requests there were. */
@Injectable()
export class RequestLimitGuard implements CanActivate {
  constructor(private readonly limit: RequestLimit) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    if (!PROBES.has(request.path)) this.limit.check(request);
    return true;
  }
}
