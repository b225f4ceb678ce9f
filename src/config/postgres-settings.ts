import { port, str } from 'envalid';
import { secret } from './setting-kinds.js';

export const postgresSpecs = {
  UDS3_POSTGRES_HOST: str({ default: undefined, desc: 'Host of an outside PostgreSQL. Unset: the embedded one.' }),
  UDS3_POSTGRES_PORT: port({ default: 5432, desc: 'Port of the outside PostgreSQL.' }),
  UDS3_POSTGRES_USER: str({ default: 'clara', desc: 'User of the outside PostgreSQL.' }),
  UDS3_POSTGRES_PASSWORD: secret({ default: '', desc: 'Password of that user (secret).' }),
  UDS3_POSTGRES_OWNER_USER: str({
    default: undefined,
    desc: 'User that owns the tables and changes the schema at the start, so that UDS3_POSTGRES_USER cannot change the audit trail. Unset: one user does both.',
  }),
  UDS3_POSTGRES_OWNER_PASSWORD: secret({ default: '', desc: 'Password of that user (secret).' }),
  UDS3_POSTGRES_DATABASE: str({ default: 'clara', desc: 'Database in the outside PostgreSQL.' }),
};

type Read = {
  UDS3_POSTGRES_HOST: string | undefined;
  UDS3_POSTGRES_PORT: number;
  UDS3_POSTGRES_USER: string;
  UDS3_POSTGRES_PASSWORD: string;
  UDS3_POSTGRES_OWNER_USER: string | undefined;
  UDS3_POSTGRES_OWNER_PASSWORD: string;
  UDS3_POSTGRES_DATABASE: string;
};

export function postgresProblems(read: Read): string[] {
  const owner = read.UDS3_POSTGRES_OWNER_USER;
  if (owner === undefined)
    // Without an outside PostgreSQL none of its settings is used, and a leftover does no harm.
    return read.UDS3_POSTGRES_HOST && read.UDS3_POSTGRES_OWNER_PASSWORD
      ? ['UDS3_POSTGRES_OWNER_PASSWORD: there is no UDS3_POSTGRES_OWNER_USER that it belongs to; set both or none']
      : [];
  if (!read.UDS3_POSTGRES_HOST)
    return ['UDS3_POSTGRES_OWNER_USER: belongs to an outside PostgreSQL; set UDS3_POSTGRES_HOST, or unset it'];
  if (owner === read.UDS3_POSTGRES_USER)
    return [`UDS3_POSTGRES_OWNER_USER: "${owner}" is UDS3_POSTGRES_USER as well; name another user, or unset it`];
  return [];
}

/** The outside database: `user` owns the tables, `app` is who the application connects as, where that is somebody else. */
export function postgresOf(read: Read) {
  if (!read.UDS3_POSTGRES_HOST) return undefined;
  const user = { user: read.UDS3_POSTGRES_USER, password: read.UDS3_POSTGRES_PASSWORD };
  const owner = read.UDS3_POSTGRES_OWNER_USER;
  return {
    host: read.UDS3_POSTGRES_HOST,
    port: read.UDS3_POSTGRES_PORT,
    ...(owner === undefined ? user : { user: owner, password: read.UDS3_POSTGRES_OWNER_PASSWORD }),
    database: read.UDS3_POSTGRES_DATABASE,
    app: owner === undefined ? undefined : user,
  };
}
