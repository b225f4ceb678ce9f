type PostmasterStatus = 'starting' | 'ready' | 'stopping';

/** What PostgreSQL writes into postmaster.pid; the fields after the pid appear while it starts. */
export interface PostmasterPid {
  pid: number;
  port?: number;
  socketFolder?: string;
  status: PostmasterStatus;
}

/** The lines of the file, see miscadmin.h of PostgreSQL: pid, data folder, start, port, socket folder, address, shared memory, status. */
export function parsePostmasterPid(text: string): PostmasterPid | null {
  const lines = text.split('\n').map((line) => line.trim());
  // A server in single-user mode writes its pid with a minus sign.
  const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10));
  if (!Number.isSafeInteger(pid) || pid < 1) return null;
  const port = Number.parseInt(lines[3] ?? '', 10);
  return {
    pid,
    ...(port > 0 ? { port } : {}),
    ...(lines[4] ? { socketFolder: lines[4] } : {}),
    status: statusOf(lines[7]),
  };
}

function statusOf(line: string | undefined): PostmasterStatus {
  if (line === 'ready' || line === 'standby') return 'ready';
  return line === 'stopping' ? 'stopping' : 'starting';
}
