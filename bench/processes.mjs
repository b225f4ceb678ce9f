import { readdirSync, readFileSync } from 'node:fs';

/** Ticks a second that /proc counts in: 100 on every Linux that Node runs on. */
const TICKS = 100;

/** @param {number | string} pid */
function statOf(pid) {
  try {
    // The name, in brackets, may hold spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
    return { parent: Number(fields[1]), cpu: (Number(fields[11]) + Number(fields[12])) / TICKS };
  } catch {
    return undefined;
  }
}

/**
 * A process and its descendants; Linux only.
 * @param {number} root
 */
export function familyOf(root) {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => [Number(pid), statOf(pid)?.parent]),
  );
  const family = [root];
  for (const pid of family) for (const [child, parent] of parents) if (parent === pid) family.push(child);
  return family;
}

/**
 * Seconds of CPU that these processes have used.
 * @param {number[]} pids
 */
export const cpuSeconds = (pids) => pids.reduce((sum, pid) => sum + (statOf(pid)?.cpu ?? 0), 0);

/**
 * @param {string} path
 * @param {RegExp} line
 */
function kilobytes(path, line) {
  try {
    return Number(line.exec(readFileSync(path, 'utf8'))?.[1] ?? Number.NaN);
  } catch {
    return Number.NaN;
  }
}

/** Resident memory. @param {number} pid */
export const residentMb = (pid) => kilobytes(`/proc/${pid}/status`, /^VmRSS:\s+(\d+)/m) / 1024;

/** Memory with shared pages divided among those who share them. @param {number[]} pids */
export const proportionalMb = (pids) =>
  pids.reduce((sum, pid) => sum + (kilobytes(`/proc/${pid}/smaps_rollup`, /^Pss:\s+(\d+)/m) || 0) / 1024, 0);
