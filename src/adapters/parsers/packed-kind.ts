import { UnreadableFile, type DocumentKind } from '../../modules/documents/document-parser.port.js';
import type { SourceFile } from './source-file.js';
import { zipNames, zipParts } from './zip-parts.js';

const CONTENT_TYPES = '[Content_Types].xml';
/** The two parts that say what a packed document is are small. */
const SMALL = 1 << 20;

const officeKinds: readonly (readonly [type: RegExp, kind: DocumentKind])[] = [
  [/wordprocessingml\.(?:document|template)\.main|ms-word\.(?:document|template)\.macroEnabled/i, 'docx'],
  [/spreadsheetml\.(?:sheet|template)\.main|ms-excel\.(?:sheet|template)\.macroEnabled/i, 'xlsx'],
  [
    /presentationml\.(?:presentation|slideshow|template)\.main|ms-powerpoint\.(?:presentation|slideshow)\.macroEnabled/i,
    'pptx',
  ],
];

/** What a ZIP file is: a document of ours, a document of another kind, or an archive. */
export type Packed = { document: DocumentKind } | { other: string } | 'archive';

/**
 * @throws UnreadableFile where the parts that say it cannot be read
 */
async function whatIsPacked(file: SourceFile, names: readonly string[]): Promise<Packed> {
  const small = { ...file, maxBytes: SMALL };
  if (names.includes(CONTENT_TYPES)) {
    const types = await zipParts(small, (name) => name === CONTENT_TYPES);
    const text = types.get(CONTENT_TYPES)?.toString('utf8') ?? '';
    const found = officeKinds.find(([type]) => type.test(text));
    return found ? { document: found[1] } : { other: 'an Office file of a kind that is not read' };
  }
  if (!names.includes('mimetype')) return 'archive';
  const mime = (await zipParts(small, (name) => name === 'mimetype')).get('mimetype')?.toString('latin1').trim() ?? '';
  if (/^application\/vnd\.oasis\.opendocument\.text(?:-template)?$/.test(mime)) return { document: 'odt' };
  return /^application\/[\w.+-]{3,100}$/.test(mime) ? { other: `a file of type ${mime}` } : 'archive';
}

const folders: readonly (readonly [folder: string, kind: DocumentKind])[] = [
  ['word/', 'docx'],
  ['xl/', 'xlsx'],
  ['ppt/', 'pptx'],
];
const LOCAL_HEADER = 'PK\u0003\u0004';
const NAME_AT = 30;

/** Whether a local header of a ZIP file names an entry in the folder. */
function hasEntryIn(start: string, folder: string): boolean {
  for (let at = start.indexOf(LOCAL_HEADER); at >= 0; at = start.indexOf(LOCAL_HEADER, at + 1))
    if (start.startsWith(folder, at + NAME_AT)) return true;
  return false;
}

/** The same for a file whose list of entries is gone: by the names at its beginning. */
function whatWasPacked(head: Buffer): DocumentKind | null {
  const start = head.toString('latin1');
  if (start.includes('mimetypeapplication/vnd.oasis.opendocument.text')) return 'odt';
  return folders.find(([folder]) => hasEntryIn(start, folder))?.[1] ?? null;
}

/** Whether a ZIP file is an archive; a packed document of any kind is none. */
export async function isZipArchive(file: SourceFile, head: Buffer): Promise<boolean> {
  const names = await zipNames(file.path);
  if (!names) return whatWasPacked(head) === null;
  return whatIsPacked(file, names).then(
    (packed) => packed === 'archive',
    () => false,
  );
}

/**
 * @param unsupported makes the error for what is no document of ours
 * @throws UnreadableFile
 */
export async function packedKind(
  file: SourceFile,
  head: Buffer,
  unsupported: (what: string) => UnreadableFile,
): Promise<DocumentKind> {
  const names = await zipNames(file.path);
  if (!names) {
    const was = whatWasPacked(head);
    throw new UnreadableFile(
      'broken',
      `The file is damaged: ${was ? `a ${was}` : 'a packed file'} whose end is missing or unreadable. Upload it again.`,
    );
  }
  const packed = await whatIsPacked(file, names);
  if (packed === 'archive') throw unsupported('It is an archive (zip); upload it as an archive.');
  if ('other' in packed) throw unsupported(`It is ${packed.other}.`);
  return packed.document;
}
