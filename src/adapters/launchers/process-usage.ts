import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** CPU and resident memory of a process and its descendants, by `ps` (Linux, macOS). */
export async function usageOfGroup(root: number): Promise<{ cpuPercent: number; memoryBytes: number } | undefined> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,pcpu=,rss='], { timeout: 5000 });
  const rows = stdout.split('\n').flatMap((line) => {
    const [pid, parent, cpu, rss] = line.trim().split(/\s+/).map(Number);
    return pid === undefined || parent === undefined ? [] : [{ pid, parent, cpu: cpu ?? 0, rss: rss ?? 0 }];
  });
  const family = new Set([root]);
  // A set that grows while it is walked: numbers of children may be lower than those of their parents.
  for (const parent of family) for (const row of rows) if (row.parent === parent) family.add(row.pid);
  const members = rows.filter((row) => family.has(row.pid));
  if (members.length === 0) return undefined;
  return {
    cpuPercent: members.reduce((sum, row) => sum + row.cpu, 0),
    memoryBytes: members.reduce((sum, row) => sum + row.rss, 0) * 1024,
  };
}
