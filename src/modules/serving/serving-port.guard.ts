import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { AppError } from '../../kernel/errors.js';
import { serviceOf } from '../../kernel/service-port.js';

/** Such short paths mean something on the port of the service only. */
@Injectable()
export class ServingPortOnly implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    if (serviceOf(request).service === 'serving') return true;
    throw new AppError('not_found', `Cannot ${request.method} ${request.path}`);
  }
}
