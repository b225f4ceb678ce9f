/** Where the server listens: a socket in a private folder, or a port of the loopback interface. */
export type Place = { kind: 'socket'; folder: string; port: number } | { kind: 'tcp'; port: number };

// Sized for a laptop that also trains: small memory, but nothing that an acknowledged row depends on is relaxed.
const FIXED: Record<string, string | number> = {
  max_connections: 60,
  shared_buffers: '64MB',
  effective_cache_size: '512MB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  max_wal_size: '512MB',
  wal_level: 'minimal',
  max_wal_senders: 0,
  max_logical_replication_workers: 0,
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // The workers of the default would be three more processes for a database that fits into the page cache.
  io_method: 'sync',
  random_page_cost: 1.1,
  max_parallel_workers: 2,
  autovacuum_max_workers: 2,
  password_encryption: 'scram-sha-256',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_line_prefix: '%m [%p] ',
  log_checkpoints: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** clara.conf: included by postgresql.conf, written at every start, overridden by ALTER SYSTEM. */
export function renderSettings(place: Place, clusterName: string): string {
  const settings: Record<string, string | number> = { ...placeSettings(place), cluster_name: clusterName, ...FIXED };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quote(String(value))}`);
  return ['# Written by CLARA at each start; change settings with ALTER SYSTEM.', ...lines, ''].join('\n');
}

function placeSettings(place: Place): Record<string, string | number> {
  if (place.kind === 'tcp') return { listen_addresses: '127.0.0.1', port: place.port, unix_socket_directories: '' };
  return {
    listen_addresses: '',
    port: place.port,
    // A list separated by commas: the double quotes keep a comma in the path.
    unix_socket_directories: `"${place.folder.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
  };
}

const quote = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
