import { UnreadableFile } from '../../modules/documents/document-parser.port.js';

const LONGEST = 1000;
const DEEPEST = 100;

/**
 * The name of an archive's entry as it may be shown and stored: relative, with `/`.
 * @returns null for a folder and for what systems leave behind (`__MACOSX`, `.DS_Store`, `Thumbs.db`)
 * @throws UnreadableFile broken where it would leave the archive, or is no name
 */
export function entryName(name: string): string | null {
  const escapes = (why: string): UnreadableFile =>
    new UnreadableFile('broken', `The archive was refused: its entry ${JSON.stringify(name.slice(0, 200))} ${why}.`);
  if (name.includes('\0')) throw escapes('has a zero byte in its name');
  const path = name.replaceAll('\\', '/');
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) throw escapes('has an absolute path');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw escapes('leads out of the archive');
  if (path.length > LONGEST || parts.length > DEEPEST) throw escapes('has a name that is too long');
  if (path.endsWith('/') || parts.length === 0) return null;
  const junk = parts[0] === '__MACOSX' || /^(?:\.DS_Store|Thumbs\.db|desktop\.ini)$/i.test(parts.at(-1) ?? '');
  // oxlint-disable-next-line no-control-regex
  return junk ? null : parts.join('/').replace(/[\u0000-\u001F\u007F]/g, '_');
}
