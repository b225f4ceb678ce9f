export interface Folder {
  path: string;
  uid: number;
  gid: number;
  mode: number;
}

export interface User {
  uid: number;
  gid: number;
}

interface PathAccess {
  /** Folders of `owner` to be made traversable, with their new mode. */
  open: { path: string; mode: number }[];
  /** Folders that somebody else keeps closed. */
  blocked: Folder[];
}

/** What must change so that a user without privileges can pass through every folder of a path; reading stays as it is. */
export function pathAccess(folders: Folder[], user: User, owner: number): PathAccess {
  const closed = folders.filter((folder) => !traversable(folder, user));
  return {
    open: closed
      .filter((folder) => folder.uid === owner && user.uid !== owner)
      .map((folder) => ({ path: folder.path, mode: (folder.mode & 0o7777) | 0o011 })),
    blocked: closed.filter((folder) => folder.uid !== owner || user.uid === owner),
  };
}

function traversable(folder: Folder, user: User): boolean {
  if (folder.uid === user.uid) return (folder.mode & 0o100) !== 0;
  if (folder.gid === user.gid) return (folder.mode & 0o010) !== 0;
  return (folder.mode & 0o001) !== 0;
}

export function blockedMessage(folder: Folder, userName: string): string {
  const mode = (folder.mode & 0o777).toString(8).padStart(4, '0');
  return (
    `PostgreSQL does not run as root, and its user "${userName}" cannot pass through the folder ${folder.path} ` +
    `(mode ${mode}, owner uid ${folder.uid}): run "chmod o+x ${folder.path}", start CLARA as a normal user, ` +
    'or set CLARA_DATA_DIR and CLARA_CACHE_DIR to folders elsewhere'
  );
}
