/** As whom PostgreSQL runs: as ourselves, or when we are root in a user namespace, or as another user. */
export type Identity =
  | { kind: 'self' }
  | { kind: 'namespace'; uid: number; gid: number }
  | { kind: 'user'; name: string; uid: number; gid: number };

export interface Command {
  file: string;
  args: string[];
  uid?: number;
  gid?: number;
}

export function commandAs(identity: Identity, file: string, args: string[]): Command {
  switch (identity.kind) {
    case 'self':
      return { file, args };
    case 'user':
      return { file, args, uid: identity.uid, gid: identity.gid };
    case 'namespace': {
      const map = [`--map-user=${identity.uid}`, `--map-group=${identity.gid}`];
      return { file: 'unshare', args: ['--user', ...map, '--', file, ...args] };
    }
  }
}

export interface Account {
  name: string;
  uid: number;
  gid: number;
}

export function parsePasswd(text: string): Account[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    if (!name || !uid || !gid) return [];
    return [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

/** Users to run as instead of root, best first. */
export function unprivilegedAccounts(accounts: Account[]): Account[] {
  return ['postgres', 'nobody'].flatMap((name) => accounts.filter((one) => one.name === name && one.uid !== 0));
}

/** The user that root appears as inside the namespace: initdb asks for its name, so it must have one. */
export function namespaceAccount(accounts: Account[]): Account | undefined {
  const named = ['postgres', 'daemon', 'nobody'].flatMap((name) => accounts.filter((one) => one.name === name));
  return [...named, ...accounts].find((one) => one.uid !== 0);
}
