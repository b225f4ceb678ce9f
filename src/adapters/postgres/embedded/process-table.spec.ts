import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { ProcFolder, ProcessTable, PsProgram, parsePs, parseStat } from './process-table.js';

describe('process table', () => {
  it('reads a line of stat whose name holds spaces and parentheses', () => {
    const line = `12 (a) b (c) S 7 12 12 0 -1 4194560 ${Array.from({ length: 20 }, (_, at) => at).join(' ')}`;
    expect(parseStat(line)).toEqual({ zombie: false, parent: 7, startedAt: '12' });
    expect(parseStat('12 (x) Z 7 12').zombie).toBe(true);
  });

  it('reads the lines of ps and leaves zombies out', () => {
    const text = [
      '    1     0 Ss   Mon Nov 23 09:24:01 2026     /sbin/init splash',
      '  451     1 Z    Mon Nov  3 09:24:01 2026     [postgres] <defunct>',
      '  452   451 S+   Mon Nov  3 09:24:01 2026     /x/postgres -D /a b/cluster',
      '',
    ].join('\n');
    expect(parsePs(text)).toEqual([
      { pid: 1, parent: 0, startedAt: 'Mon Nov 23 09:24:01 2026', command: '/sbin/init splash' },
      { pid: 452, parent: 451, startedAt: 'Mon Nov  3 09:24:01 2026', command: '/x/postgres -D /a b/cluster' },
    ]);
  });

  const tables: [string, ProcessTable][] = [];
  if (process.platform === 'linux') tables.push(['/proc', new ProcFolder()]);
  // Small container images have no ps.
  if (existsSync('/bin/ps')) tables.push(['ps', new PsProgram()]);

  it.each(tables)('%s finds this process, and no longer one that has ended', async (_name, table) => {
    const own = await table.find(process.pid);
    expect(own).toMatchObject({ pid: process.pid, parent: process.ppid });
    expect((await table.list()).map(({ pid }) => pid)).toContain(process.pid);

    const child = spawn('sleep', ['30']);
    const pid = child.pid ?? 0;
    expect((await table.find(pid))?.command).toContain('sleep 30');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await table.find(pid)).toBeNull();
    expect(table.signal(pid, 'SIGTERM')).toBe(false);
    expect(table.taken(pid)).toBe(false);
  });

  it('knows the folder that a process works in', async () => {
    if (process.platform !== 'linux') return;
    expect(await ProcessTable.ofThisMachine().worksIn(process.pid, process.cwd())).toBe(true);
    expect(await ProcessTable.ofThisMachine().worksIn(process.pid, '/')).toBe(false);
  });
});
