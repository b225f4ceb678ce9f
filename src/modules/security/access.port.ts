import { SetMetadata } from '@nestjs/common';
import type { Permission } from './permissions.js';

export type { Permission } from './permissions.js';

export const ACCESS = 'clara:access';

/**
 * What a route asks for. `open`: nobody is asked. `docs`: open where CLARA_DOCS_OPEN says so, else any known caller.
 * `metrics`: open on loopback, else metrics:read or a client certificate. `known`: any caller with valid credentials.
 */
export type Access = { permission: Permission } | { rule: 'open' | 'docs' | 'metrics' | 'known' };

/** Declares the permission that a route needs. Every route declares one, or says why it needs none. */
export const Requires = (permission: Permission) => SetMetadata(ACCESS, { permission } satisfies Access);

/** Declares a route by a rule of its own. */
export const Opens = (rule: 'open' | 'docs' | 'metrics' | 'known') => SetMetadata(ACCESS, { rule } satisfies Access);
