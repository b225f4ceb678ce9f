import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

/** Who calls. */
export interface Principal {
  subject: string;
  roles: readonly string[];
}

export type AuthenticatedRequest = Request & { user: Principal };

/** The caller of a route, as the guard found it. */
export const CurrentUser = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal => context.switchToHttp().getRequest<AuthenticatedRequest>().user,
);
