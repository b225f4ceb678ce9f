import { clusterName, socketFolder } from './socket-folder.js';

const dataDirOf = (bytes: number): string => `/${'d'.repeat(bytes - 1)}`;
// "/socket/.s.PGSQL.5432" has 21 bytes.
const longest = 107 - 21;

describe('socket folder', () => {
  it('lies in the data folder', () => {
    expect(socketFolder('/srv/clara/postgres', 'linux', 0)).toEqual({
      folder: '/srv/clara/postgres/socket',
      ours: true,
    });
  });

  it('lies there as long as the address of the socket fits', () => {
    expect(socketFolder(dataDirOf(longest), 'linux', 0).ours).toBe(true);
    expect(socketFolder(dataDirOf(longest + 1), 'linux', 0).ours).toBe(false);
    expect(socketFolder(dataDirOf(longest - 3), 'darwin', 0).ours).toBe(false);
  });

  it('counts bytes and not characters', () => {
    expect(socketFolder(`/${'ü'.repeat(50)}`, 'linux', 0).ours).toBe(false);
  });

  it('is a short one of its own per user and data folder otherwise', () => {
    const [one, other] = [dataDirOf(200), dataDirOf(201)].map((dir) => socketFolder(dir, 'linux', 7).folder);
    expect(one).toMatch(/^\/tmp\/clara-7-[0-9a-f]{12}$/);
    expect(other).not.toBe(one);
  });

  it('names the processes after the data folder', () => {
    expect(clusterName('/a')).toMatch(/^clara-[0-9a-f]{12}$/);
    expect(clusterName('/a')).not.toBe(clusterName('/b'));
  });
});
