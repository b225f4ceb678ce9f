import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { installPostgres } from '../scripts/install-postgres.mjs';
import { cacheFolder, root } from '../scripts/root.mjs';
import { familyOf } from './processes.mjs';

/**
 * An outside PostgreSQL for CLARA and its peer: the same binaries and settings as the embedded one.
 * @param {string} folder
 */
export async function startPostgres(folder) {
  const { binDir } = await installPostgres({ cacheDir: cacheFolder() });
  const { EmbeddedPostgres } = await import(
    join(root, 'dist', 'src', 'adapters', 'postgres', 'embedded', 'embedded-postgres.js')
  );
  const server = new EmbeddedPostgres();
  const dataDir = join(folder, 'postgres');
  const silent = { info: () => undefined, warn: (message) => console.error(message) };
  const connection = await server.start({ dataDir, binDir, log: silent });
  const pool = new pg.Pool({ ...connection, max: 2 });
  pool.on('error', () => undefined);
  return {
    connection,
    query: async (sql, values) => (await pool.query(sql, values)).rows,
    pids: () => familyOf(Number(readFileSync(join(dataDir, 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0])),
    stop: async () => {
      await pool.end();
      await server.stop();
    },
  };
}

/** The settings by which CLARA takes it. */
export const asOutside = ({ host, port, user, password, database }) => ({
  UDS3_POSTGRES_HOST: host,
  UDS3_POSTGRES_PORT: String(port),
  UDS3_POSTGRES_USER: user,
  UDS3_POSTGRES_PASSWORD: password,
  UDS3_POSTGRES_DATABASE: database,
});
