import { fileTypeFromBuffer } from 'file-type';
import iconv from 'iconv-lite';
import {
  documentKinds,
  pictureKinds,
  UnreadableFile,
  type DocumentKind,
} from '../../modules/documents/document-parser.port.js';
import { isOle, lookAtOle } from './ole-file.js';
import { headOf, type SourceFile } from './source-file.js';
import { extensionOf, textKind } from './text-kind.js';
import { guessEncoding, markedEncoding, wideEncoding } from './text-encoding.js';
import { packedKind } from './packed-kind.js';

const HEAD_BYTES = 65_536;
/** The signature of RFC 2083. */
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

export const supportedKinds = `Supported are ${documentKinds.join(', ')}, and with CLARA_OCR=on the pictures ${pictureKinds.join(' and ')}.`;

const unsupported = (what: string): UnreadableFile => new UnreadableFile('unsupported', `${what} ${supportedKinds}`);

/**
 * The kind that the content shows; the name decides among texts only.
 * @throws UnreadableFile empty, encrypted, broken or unsupported
 */
export async function fileKind(file: SourceFile): Promise<DocumentKind> {
  const head = await headOf(file.path, HEAD_BYTES);
  if (head.length === 0) throw new UnreadableFile('empty', 'The file is empty: it has 0 bytes. Upload it again.');
  if (head.subarray(0, 1024).includes('%PDF-')) return 'pdf';
  const picture = pictureKind(head);
  if (picture) return picture;
  if (isOle(head)) return oleKind(file);
  if (head.subarray(0, 2).toString('latin1') === 'PK') return packedKind(file, head, unsupported);
  const text = startOfText(head);
  const kind = text === null ? null : textKind(text, file.filename);
  if (kind && fits(kind, file.filename)) return kind;
  throw await unknown(head, file.filename);
}

function pictureKind(head: Buffer): 'png' | 'jpg' | null {
  if (head.subarray(0, 8).equals(PNG)) return 'png';
  return head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff ? 'jpg' : null;
}

const BINARY: readonly string[] = ['pdf', 'docx', 'doc', 'xlsx', 'xls', 'pptx', 'odt'];

/** Programs save HTML, RTF or tables under the names of Office files; any other text in one is a damaged file. */
function fits(kind: DocumentKind, filename: string): boolean {
  const named = extensionOf(filename);
  if (!BINARY.includes(named)) return true;
  return !['txt', 'md'].includes(kind) && (named.startsWith('xls') || !['csv', 'tsv'].includes(kind));
}

async function oleKind(file: SourceFile): Promise<DocumentKind> {
  const look = await lookAtOle(file.path, file.bytes);
  const has = (name: string): boolean => look?.names.includes(name) ?? false;
  if (!look || !look.sound || look.names.length === 0)
    throw new UnreadableFile(
      'broken',
      'The file is a damaged Office document. Save it again with the program that made it.',
    );
  if (has('EncryptedPackage'))
    throw new UnreadableFile('encrypted', 'The document is protected by a password. Save it without one.');
  if (has('WordDocument')) return 'doc';
  if (has('Workbook') || has('Book')) return 'xls';
  if (has('PowerPoint Document')) throw unsupported('It is an old PowerPoint file (ppt): save it as pptx.');
  if (look.names.some((name) => name.startsWith('__substg1.0_')))
    throw unsupported('It is an Outlook message (msg): save it as eml.');
  throw unsupported('It is an Office file of a kind that is not read.');
}

/** The first characters where the bytes are text; null where they are not. */
function startOfText(head: Buffer): string | null {
  const encoding = markedEncoding(head) ?? wideEncoding(head);
  if (encoding) return readable(iconv.decode(head.subarray(encoding.skip), encoding.name));
  if (head.includes(0)) return null;
  // The last character may be cut in the middle.
  const whole = new TextDecoder('utf-8').decode(head, { stream: true });
  return readable(whole.includes('\uFFFD') ? iconv.decode(head, guessEncoding(head)) : whole);
}

/** More control characters than this are no text. */
const MOST_CONTROLS = 0.02;

function readable(text: string): string | null {
  let controls = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code < 32 && code !== 9 && code !== 10 && code !== 13 && code !== 12) || (code >= 127 && code < 160))
      controls++;
  }
  return controls > text.length * MOST_CONTROLS ? null : text;
}

async function unknown(head: Buffer, filename: string): Promise<UnreadableFile> {
  const seen = await fileTypeFromBuffer(head).catch(() => undefined);
  if (seen) return unsupported(`It is ${withArticle(seen.mime)}.`);
  if (head.every((byte) => byte === 0))
    return new UnreadableFile('broken', 'The file holds nothing but zeros: its content was lost. Upload it again.');
  const named = documentKinds.find((kind) => kind === extensionOf(filename));
  if (named)
    return new UnreadableFile(
      'broken',
      `It is named .${named}, but its content is not of that kind, nor text. Upload it again.`,
    );
  return unsupported('Its content is neither text nor a known document.');
}

function withArticle(mime: string): string {
  if (mime.startsWith('image/')) return `an image (${mime}); save it as png, jpg or pdf`;
  if (mime.startsWith('video/') || mime.startsWith('audio/')) return `a recording (${mime})`;
  if (/executable|msdownload|x-elf|mach/.test(mime)) return `a program (${mime})`;
  return /zip|tar|rar|7z|compress/.test(mime) ? `an archive (${mime}); unpack it first.` : `a file of type ${mime}`;
}
