/** What may be done, as CONTRACT's user service names it; `*` of the admin is every one of these. */
export const permissions = [
  'training:create',
  'training:read',
  'training:cancel',
  'documents:create',
  'datasets:create',
  'datasets:read',
  'datasets:search',
  'datasets:export',
  'adapters:activate',
  'adapters:read',
  'serving:generate',
  'audit:read',
  'metrics:read',
  'pki:manage',
  'tokens:own',
] as const;
export type Permission = (typeof permissions)[number];

export const roles = ['admin', 'trainer', 'analyst', 'user', 'auditor'] as const;
export type Role = (typeof roles)[number];

/** Everybody who is known may read jobs and keep personal tokens. */
const everyone: Permission[] = ['training:read', 'tokens:own'];

/** The one table of who may do what. */
export const rolePermissions: Readonly<Record<Role, readonly Permission[]>> = {
  admin: permissions,
  trainer: [
    ...everyone,
    'training:create',
    'training:cancel',
    'documents:create',
    'datasets:create',
    'datasets:read',
    'datasets:search',
    'datasets:export',
    'adapters:activate',
    'adapters:read',
  ],
  analyst: [...everyone, 'documents:create', 'datasets:create', 'datasets:read', 'datasets:search', 'adapters:read'],
  user: [...everyone, 'serving:generate', 'adapters:read'],
  auditor: [...everyone, 'datasets:read', 'adapters:read', 'audit:read', 'metrics:read'],
};

export const isRole = (name: string): name is Role => (roles as readonly string[]).includes(name);

/** Names that are no roles of ours count for nothing. */
export function permissionsOf(names: readonly string[]): ReadonlySet<Permission> {
  return new Set(names.filter(isRole).flatMap((role) => rolePermissions[role]));
}

/** The roles that would do, for the message of a refusal. */
export const rolesWith = (permission: Permission): Role[] =>
  roles.filter((role) => rolePermissions[role].includes(permission));
