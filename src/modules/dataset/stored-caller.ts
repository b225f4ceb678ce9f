import type { Permission } from '../security/access.port.js';
import type { Caller } from '../security/principal.port.js';

/** A caller as JSON keeps it: a version is built later, in the name of who asked for it. */
export type StoredCaller = Omit<Caller, 'permissions'> & { permissions: Permission[] };

export const storeCaller = (caller: Caller): StoredCaller => ({ ...caller, permissions: [...caller.permissions] });

export const callerOf = (stored: StoredCaller): Caller => ({ ...stored, permissions: new Set(stored.permissions) });
