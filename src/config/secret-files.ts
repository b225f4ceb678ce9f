import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

const LARGEST = 64 * 1024;
const OTHERS_MAY_READ = 0o004;
/** Where containers get their secrets: readable by all who are in the container, and there is nobody else. */
const MOUNTED = '/run/secrets/';

/** Secrets whose value stands in a file, as Docker and systemd hand them over: NAME_FILE names it. */
export const fileSetting = (name: string): string => `${name}_FILE`;

/**
 * The environment with the secrets of files in it.
 * @param names settings that are secrets
 * @param root folder that relative paths start from
 */
export function withSecretFiles(env: Env, names: readonly string[], root: string): { env: Env; problems: string[] } {
  const strict = env['CLARA_SECURITY_MODE'] === 'production';
  const filled: Record<string, string | undefined> = { ...env };
  const problems = names.flatMap((name) => {
    const file = env[fileSetting(name)];
    if (!file) return [];
    if (env[name]) return [`${fileSetting(name)}: ${name} is set as well; keep one of the two`];
    const read = readSecret(resolve(root, file), strict);
    if ('value' in read) filled[name] = read.value;
    return 'problem' in read ? [`${fileSetting(name)}: ${file} ${read.problem}`] : [];
  });
  return { env: filled, problems };
}

function readSecret(path: string, strict: boolean): { value: string } | { problem: string } {
  try {
    const found = statSync(path);
    if (!found.isFile()) return { problem: 'is not a file; name a file that holds nothing but the secret' };
    if (found.size > LARGEST)
      return { problem: `has ${found.size} bytes, a secret has ${LARGEST} at most; name the right file` };
    if (strict && !path.startsWith(MOUNTED) && (found.mode & OTHERS_MAY_READ) !== 0)
      return { problem: 'may be read by every user of this machine; take that away (chmod o= on it)' };
    // An editor, and echo, leave a line end behind.
    const value = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    return value === '' ? { problem: 'is empty; write the secret into it' } : { value };
  } catch (error) {
    return {
      problem: `cannot be read (${(error as NodeJS.ErrnoException).code}); name a file that this user may read`,
    };
  }
}
