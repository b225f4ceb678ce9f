import { createHash } from 'node:crypto';
import { join } from 'node:path';

export const SOCKET_PORT = 5432;

// sun_path holds 108 bytes on Linux and 104 elsewhere, the closing zero byte included.
const longestPath = (platform: string): number => (platform === 'linux' ? 107 : 103);

/** The folder for the socket: inside the data folder, or a short one when the path would not fit into a socket address. */
export function socketFolder(dataDir: string, platform: string, uid: number): { folder: string; ours: boolean } {
  const inside = join(dataDir, 'socket');
  // PostgreSQL also makes `<socket>.lock`, and refuses a path that does not fit.
  const longest = Buffer.byteLength(join(inside, `.s.PGSQL.${SOCKET_PORT}`));
  if (longest <= longestPath(platform)) return { folder: inside, ours: true };
  return { folder: join('/tmp', `clara-${uid}-${shortHash(dataDir)}`), ours: false };
}

/** Names the processes of one data folder in the process list. */
export const clusterName = (dataDir: string): string => `clara-${shortHash(dataDir)}`;

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
