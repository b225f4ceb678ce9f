import { parsePostmasterPid } from './postmaster-pid.js';

const whole = (status: string) =>
  `4711\n/data/cluster\n1795430000\n5432\n/data/socket\n\n  1234567        12\n${status}\n`;

describe('postmaster.pid', () => {
  it('tells pid, place and status of a server', () => {
    expect(parsePostmasterPid(whole('ready   '))).toEqual({
      pid: 4711,
      port: 5432,
      socketFolder: '/data/socket',
      status: 'ready',
    });
  });

  it.each([
    ['starting', 'starting'],
    ['ready   ', 'ready'],
    ['standby ', 'ready'],
    ['stopping', 'stopping'],
  ])('reads the status "%s" as %s', (line, status) => {
    expect(parsePostmasterPid(whole(line))?.status).toBe(status);
  });

  it('leaves the socket folder out where a server listens on TCP only', () => {
    const text = whole('ready').replace('/data/socket', '').replace('\n\n\n', '\n\n127.0.0.1\n');
    expect(parsePostmasterPid(text)).toEqual({ pid: 4711, port: 5432, status: 'ready' });
  });

  it('takes a half-written file as one of a server that starts', () => {
    expect(parsePostmasterPid('4711\n/data/clus')).toEqual({ pid: 4711, status: 'starting' });
  });

  it('takes the minus sign of single-user mode away', () => {
    expect(parsePostmasterPid('-4711\n')?.pid).toBe(4711);
  });

  it.each(['', '\n', 'garbage', '0\n'])('finds no server in %j', (text) => {
    expect(parsePostmasterPid(text)).toBeNull();
  });
});
