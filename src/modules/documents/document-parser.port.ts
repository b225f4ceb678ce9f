/** One piece of a document, in reading order. `text` is plain: no markup, inner line breaks only where they mean something. `ocr`: its text was recognised in a picture, with this confidence (0 to 100). */
export type Block =
  | { kind: 'heading'; /** 1 is the outermost. */ level: number; text: string; page?: number; ocr?: number }
  | { kind: 'paragraph' | 'list_item' | 'code' | 'table_row' | 'quote'; text: string; page?: number; ocr?: number };

/** What a parser found in a file. */
export interface ParsedDocument {
  /** The kind that the content shows, whatever the name says. */
  kind: DocumentKind;
  title: string | null;
  blocks: Block[];
  /** Plain facts the file states of itself (author, date, front matter); values at most 1,000 characters. */
  metadata: Readonly<Record<string, string>>;
  /** Of a paged format; null else. */
  pages: number | null;
  /** What is missing and why, in words a user can act on, such as "no text layer, page 3". */
  warnings: string[];
  /** Pages without text that a recognition of their pictures (OCR) may give some. */
  unreadPages: number;
}

export const documentKinds = [
  'pdf',
  'docx',
  'doc',
  'xlsx',
  'xls',
  'pptx',
  'odt',
  'html',
  'md',
  'txt',
  'csv',
  'tsv',
  'json',
  'xml',
  'eml',
  'rtf',
] as const;
/** Pictures of pages: read only where their text can be recognised. */
export const pictureKinds = ['png', 'jpg'] as const;
export type TextKind = (typeof documentKinds)[number];
export type DocumentKind = TextKind | (typeof pictureKinds)[number];

/** Why a file gave no document. `message` says what is wrong and what to do. */
export class UnreadableFile extends Error {
  constructor(
    readonly reason: 'empty' | 'encrypted' | 'broken' | 'unsupported' | 'too_large' | 'no_text' | 'timeout' | 'memory',
    message: string,
  ) {
    super(message);
  }
}

export interface FileToParse {
  /** On this host; read only. */
  path: string;
  /** As the user named it; a hint where the content does not decide (md, csv, txt). */
  filename: string;
}

/** How far the pictures of a file are recognised. */
export interface OcrProgress {
  /** Of the pages without text, how many are done. */
  done: number;
  of: number;
}

/** Reads a file in a process or thread that can be killed, within the limits of the settings. */
export abstract class DocumentParser {
  /** @throws UnreadableFile where the file gives no text; AbortError when `signal` ends it. `heard` is told of each page that is recognised. */
  abstract parse(
    file: FileToParse,
    signal: AbortSignal,
    heard?: (progress: OcrProgress) => void,
  ): Promise<ParsedDocument>;
  abstract close(): Promise<void>;
}
