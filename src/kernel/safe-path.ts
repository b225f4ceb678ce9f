import { constants } from 'node:fs';
import { lstat, open, readlink, realpath, stat, type FileHandle } from 'node:fs/promises';
import { basename, extname, isAbsolute, relative, resolve, sep } from 'node:path';

/** A path that is refused, in words for the one who sent it: they name no folder of the machine. */
export class PathError extends Error {}

/** What a path may be: the rules stand here, so that every reader of a client's path has the same ones. */
export interface PathRules {
  /** What the file is for, in a message: `a configuration`. */
  purpose: string;
  /** Folder that relative paths start from. */
  base: string;
  /** Folders the file may lie in. */
  roots: string[];
  /** Folders whose contents are refused though they lie in a root, unless a deeper root names them. */
  except: string[];
  /** With the dot, in lower case. */
  extensions: string[];
}

/** A regular file inside the allowed folders, opened for reading. The reader closes the handle. */
export interface ConfinedFile {
  path: string;
  size: number;
  handle: FileHandle;
}

const LONGEST_PATH = 1024;

const forms: [RegExp, string][] = [
  [/\p{Cc}/u, 'holds control characters'],
  [/\\/, 'holds a backslash; write / between folders'],
  [/%[0-9a-f]{2}/i, 'is percent-encoded; write the characters themselves'],
  [/^[a-z][a-z0-9+.-]*:/i, 'is an address or a drive, not a path'],
  [/^~/, 'starts with ~, which is not expanded; write the path from the root'],
  [/(^|\/)\.\.(\/|$)/, 'holds "..", which is not followed'],
];

/** What is wrong with the text of a path, before anything is looked at on the disk. */
export function problemOfForm(path: string): string | undefined {
  if (path.trim() === '') return 'is empty';
  if (path.length > LONGEST_PATH) return `is longer than ${LONGEST_PATH} characters`;
  return forms.find(([form]) => form.test(path))?.[1];
}

/** Whether a path is the folder or lies in it; both absolute and normalised. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** Inside a root, and not in an excepted folder that is nearer than the root. */
export function isAllowed(path: string, roots: string[], except: string[]): boolean {
  const nearest = roots.filter((root) => isInside(path, root)).reduce((a, b) => (b.length > a.length ? b : a), '');
  return nearest !== '' && !except.some((folder) => isInside(path, folder) && folder.length >= nearest.length);
}

/** A folder as a message names it: from the base, or by its last part, so that no machine path is told. */
export const nameOf = (folder: string, base: string): string =>
  isInside(folder, base) ? relative(base, folder) || '.' : basename(folder);

/** A path as a message shows it. */
export const quoted = (path: string): string => JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);

function refusal(path: string, why: string, rules: PathRules): PathError {
  const folders = rules.roots.map((root) => nameOf(root, rules.base)).join(', ');
  return new PathError(
    `${quoted(path)} ${why}; ${rules.purpose} is a file ending in ${rules.extensions.join(' or ')} in ${folders}`,
  );
}

const failures: Record<string, string> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'leads through something that is not a folder',
  ELOOP: 'is a circle of links',
  EACCES: 'may not be read by this application',
  EPERM: 'may not be read by this application',
  ENAMETOOLONG: 'has a part that is too long',
  ENXIO: 'is not a regular file',
  ENODEV: 'is not a regular file',
};

const failureOf = (error: unknown): string =>
  failures[(error as NodeJS.ErrnoException).code ?? ''] ?? `cannot be read (${(error as NodeJS.ErrnoException).code})`;

const real = (folder: string): Promise<string> => realpath(folder).catch(() => folder);
const allReal = (folders: string[]): Promise<string[]> => Promise.all(folders.map(real));

/** Where an open file lies by now: its name may have been given to another since it was resolved. */
async function pathOfHandle(handle: FileHandle, path: string): Promise<string | undefined> {
  const told = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => undefined);
  if (told !== undefined) return told;
  const [opened, named, now] = await Promise.all([handle.stat(), stat(path), realpath(path)]);
  return opened.dev === named.dev && opened.ino === named.ino ? now : undefined;
}

/** O_NONBLOCK keeps a named pipe from holding the application; O_NOFOLLOW a link put there in the last moment. */
const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const notAFile = 'is not a regular file';
const leadsOut = 'leads out of the allowed folders';

async function openChecked(path: string, allowed: (path: string) => boolean): Promise<ConfinedFile | string> {
  // Opening a device can already do something, so its kind is asked before and, against a swap, after.
  if (!(await lstat(path)).isFile()) return notAFile;
  const handle = await open(path, READ_ONLY);
  const [stats, place] = await Promise.all([handle.stat(), pathOfHandle(handle, path)]).catch(async (error) => {
    await handle.close();
    throw error;
  });
  if (stats.isFile() && place !== undefined && allowed(place)) return { path, size: stats.size, handle };
  await handle.close();
  return stats.isFile() ? leadsOut : notAFile;
}

/**
 * Opens a file that a client named, if it lies in an allowed folder once all links are followed.
 * @throws PathError saying what is wrong with the path
 */
export async function openConfined(path: string, rules: PathRules): Promise<ConfinedFile> {
  const form = problemOfForm(path);
  if (form !== undefined) throw refusal(path, form, rules);
  const wanted = resolve(rules.base, path);
  const [roots, except] = await Promise.all([allReal(rules.roots), allReal(rules.except)]);
  const hasEnding = (name: string) => rules.extensions.includes(extname(name).toLowerCase());
  if (!hasEnding(wanted)) throw refusal(path, 'has another ending', rules);
  // Outside paths are refused unseen, or the answer would tell which files exist.
  if (!isAllowed(wanted, [...rules.roots, ...roots], [...rules.except, ...except]))
    throw refusal(path, 'lies outside of the allowed folders', rules);
  const allowed = (place: string) => isAllowed(place, roots, except) && hasEnding(place);
  const opened = await realpath(wanted)
    .then((target) => (allowed(target) ? openChecked(target, allowed) : leadsOut))
    .catch(failureOf);
  if (typeof opened === 'string') throw refusal(path, opened, rules);
  return opened;
}

/**
 * The real path of a file that a client named.
 * @throws PathError saying what is wrong with the path
 */
export async function confine(path: string, rules: PathRules): Promise<string> {
  const file = await openConfined(path, rules);
  await file.handle.close();
  return file.path;
}
