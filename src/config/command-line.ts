import { postgresOf } from './postgres-settings.js';
import { withSecretFiles } from './secret-files.js';

const SECRETS = ['UDS3_POSTGRES_PASSWORD', 'UDS3_POSTGRES_OWNER_PASSWORD'];

/** The database that command-line tools mean: the outside one that UDS3_POSTGRES_* names. Throws without a host. */
export function commandLineConnection(given: Readonly<Record<string, string | undefined>>) {
  const { env, problems } = withSecretFiles(given, SECRETS, '.');
  if (problems.length > 0) throw new Error(problems.join('; '));
  const connection = postgresOf({
    UDS3_POSTGRES_HOST: env['UDS3_POSTGRES_HOST'],
    UDS3_POSTGRES_PORT: Number(env['UDS3_POSTGRES_PORT'] ?? 5432),
    UDS3_POSTGRES_USER: env['UDS3_POSTGRES_USER'] ?? 'clara',
    UDS3_POSTGRES_PASSWORD: env['UDS3_POSTGRES_PASSWORD'] ?? '',
    UDS3_POSTGRES_OWNER_USER: env['UDS3_POSTGRES_OWNER_USER'],
    UDS3_POSTGRES_OWNER_PASSWORD: env['UDS3_POSTGRES_OWNER_PASSWORD'] ?? '',
    UDS3_POSTGRES_DATABASE: env['UDS3_POSTGRES_DATABASE'] ?? 'clara',
  });
  if (connection) return connection;
  throw new Error(
    'UDS3_POSTGRES_HOST is not set. The embedded PostgreSQL migrates itself at the start of the application; ' +
      'its socket folder stands in the log line "PostgreSQL started", give that as UDS3_POSTGRES_HOST to look into it',
  );
}
