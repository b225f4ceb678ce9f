import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension, ApiForbiddenResponse, ApiUnauthorizedResponse } from '@nestjs/swagger';
import type { Permission } from './permissions.js';

export type { Permission } from './permissions.js';

export const ACCESS = 'clara:access';

/**
 * What a route asks for. `open`: nobody is asked. `docs`: open where CLARA_DOCS_OPEN says so, else any known caller.
 * `metrics`: open on loopback, else metrics:read or a client certificate. `known`: any caller with valid credentials.
 */
export type Access = { permission: Permission } | { rule: 'open' | 'docs' | 'metrics' | 'known' };

const asked = [
  ApiBearerAuth(),
  ApiUnauthorizedResponse({ description: 'The credentials are missing, expired or not valid.' }),
  ApiForbiddenResponse({ description: 'The caller may not do this; the detail names the roles that may.' }),
];

/** Declares the permission that a route needs. Every route declares one, or says why it needs none. */
export const Requires = (permission: Permission) =>
  applyDecorators(
    SetMetadata(ACCESS, { permission } satisfies Access),
    ApiExtension('x-permission', permission),
    ...asked,
  );

/** Declares a route by a rule of its own. */
export const Opens = (rule: 'open' | 'docs' | 'metrics' | 'known') =>
  applyDecorators(
    SetMetadata(ACCESS, { rule } satisfies Access),
    ApiExtension('x-access', rule),
    ...(rule === 'open' ? [] : asked),
  );
