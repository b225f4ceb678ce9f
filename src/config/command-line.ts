import { withSecretFiles } from './secret-files.js';

/** The database that command-line tools mean: the outside one that UDS3_POSTGRES_* names. Throws without a host. */
export function commandLineConnection(given: Readonly<Record<string, string | undefined>>) {
  const { env, problems } = withSecretFiles(given, ['UDS3_POSTGRES_PASSWORD'], '.');
  if (problems.length > 0) throw new Error(problems.join('; '));
  const host = env['UDS3_POSTGRES_HOST'];
  if (!host)
    throw new Error(
      'UDS3_POSTGRES_HOST is not set. The embedded PostgreSQL migrates itself at the start of the application; ' +
        'its socket folder stands in the log line "PostgreSQL started", give that as UDS3_POSTGRES_HOST to look into it',
    );
  return {
    host,
    port: Number(env['UDS3_POSTGRES_PORT'] ?? 5432),
    user: env['UDS3_POSTGRES_USER'] ?? 'clara',
    password: env['UDS3_POSTGRES_PASSWORD'] ?? '',
    database: env['UDS3_POSTGRES_DATABASE'] ?? 'clara',
  };
}
