import type { Folder } from './path-access.js';
import { blockedMessage, pathAccess } from './path-access.js';

const folder = (path: string, mode: number, uid = 0, gid = 0): Folder => ({ path, mode: 0o40000 | mode, uid, gid });
const nobody = { uid: 65534, gid: 65534 };

describe('access to a path', () => {
  it('changes nothing where every folder lets the user through', () => {
    const folders = [folder('/', 0o755), folder('/srv', 0o711), folder('/srv/x', 0o700, 65534)];
    expect(pathAccess(folders, nobody, 0)).toEqual({ open: [], blocked: [] });
  });

  it('opens our own folders for passing, not for reading', () => {
    expect(pathAccess([folder('/root', 0o700), folder('/root/data', 0o750)], nobody, 0).open).toEqual([
      { path: '/root', mode: 0o711 },
      { path: '/root/data', mode: 0o751 },
    ]);
  });

  it('keeps the set-group and sticky bits', () => {
    expect(pathAccess([folder('/x', 0o3700)], nobody, 0).open[0]?.mode).toBe(0o3711);
  });

  it('names folders of other users and leaves them alone', () => {
    const home = folder('/home/alice', 0o700, 1000);
    expect(pathAccess([folder('/home', 0o755), home], nobody, 0)).toEqual({ open: [], blocked: [home] });
  });

  it('lets a group in', () => {
    const shared = folder('/shared', 0o710, 1000, 65534);
    expect(pathAccess([shared], nobody, 0).blocked).toEqual([]);
  });

  it('counts the bits of the owner only, when the user owns the folder', () => {
    expect(pathAccess([folder('/x', 0o011, 65534)], nobody, 0).blocked).toHaveLength(1);
  });

  it('opens nothing for root without its privileges, as in a user namespace', () => {
    const root = { uid: 0, gid: 0 };
    expect(pathAccess([folder('/root', 0o700)], root, 0)).toEqual({ open: [], blocked: [] });
    expect(pathAccess([folder('/home/alice', 0o700, 1000)], root, 0).blocked).toHaveLength(1);
  });

  it('says which folder is closed and what to do', () => {
    const message = blockedMessage(folder('/home/alice', 0o700, 1000), 'nobody');
    expect(message).toContain('/home/alice (mode 0700, owner uid 1000)');
    expect(message).toContain('chmod o+x /home/alice');
  });
});
