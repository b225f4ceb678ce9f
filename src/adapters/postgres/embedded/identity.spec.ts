import { commandAs, namespaceAccount, parsePasswd, unprivilegedAccounts } from './identity.js';

const passwd = [
  'root:x:0:0:root:/root:/bin/bash',
  'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin',
  'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
  'postgres:x:101:104::/var/lib/postgresql:/bin/bash',
  'broken line',
  '',
].join('\n');

describe('identity of the server', () => {
  it('knows the accounts of the machine', () => {
    expect(parsePasswd(passwd).map(({ name }) => name)).toEqual(['root', 'daemon', 'nobody', 'postgres']);
    expect(parsePasswd(passwd)[3]).toEqual({ name: 'postgres', uid: 101, gid: 104 });
  });

  it('prefers postgres to nobody', () => {
    expect(unprivilegedAccounts(parsePasswd(passwd)).map(({ name }) => name)).toEqual(['postgres', 'nobody']);
    expect(unprivilegedAccounts(parsePasswd('root:x:0:0::/:'))).toEqual([]);
  });

  it('takes any account with a name for the namespace, but not root', () => {
    expect(namespaceAccount(parsePasswd(passwd))?.name).toBe('postgres');
    expect(namespaceAccount(parsePasswd('root:x:0:0::/:\nbin:x:2:2::/:'))?.name).toBe('bin');
    expect(namespaceAccount(parsePasswd('root:x:0:0::/:'))).toBeUndefined();
  });

  it('makes a command line for each', () => {
    expect(commandAs({ kind: 'self' }, '/bin/postgres', ['-D', '/d'])).toEqual({
      file: '/bin/postgres',
      args: ['-D', '/d'],
    });
    expect(commandAs({ kind: 'user', name: 'nobody', uid: 2, gid: 3 }, '/bin/postgres', [])).toEqual({
      file: '/bin/postgres',
      args: [],
      uid: 2,
      gid: 3,
    });
    expect(commandAs({ kind: 'namespace', uid: 101, gid: 104 }, '/bin/postgres', ['-D', '/d'])).toEqual({
      file: 'unshare',
      args: ['--user', '--map-user=101', '--map-group=104', '--', '/bin/postgres', '-D', '/d'],
    });
  });
});
