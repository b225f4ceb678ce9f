import { getDocumentProxy } from 'unpdf';
import { messageOf } from '../../kernel/errors.js';
import { UnreadableFile } from '../../modules/documents/document-parser.port.js';
import { alignSizes } from '../ocr/aligned-sizes.js';
import { ocrFacts } from '../ocr/ocr-facts.js';
import type { OcrRun } from '../ocr/ocr-run.js';
import { factsOf } from './front-matter.js';
import { pdfBlocks, type PdfPage } from './pdf-blocks.js';
import { linesOf, type PdfItem } from './pdf-lines.js';
import { readPdfPictures } from './pdf-pictures.js';
import { parsedOf, wholeFile, type Parsed, type SourceFile } from './source-file.js';

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;

const MOST_PAGES = 20_000;
const SHOWN_PAGES = 50;
const SHOWN_REASONS = 5;
const NO_TEXT_HINT = 'it is a picture of a page or blank; CLARA_OCR=on recognises the text of pictures';

/** PDF: the text layer page by page, and the pictures of pages without one where they are to be read; nothing of it is run or fetched. */
export async function parsePdf(file: SourceFile): Promise<Parsed> {
  const pdf = await opened(new Uint8Array(await wholeFile(file)), file.ocr?.options.maxPixels ?? 0);
  try {
    const pages: PdfPage[] = [];
    const warnings: string[] = [];
    for (let number = 1; number <= Math.min(pdf.numPages, MOST_PAGES); number++) {
      const page = await pageOf(pdf, number, warnings);
      if (page) pages.push(page);
    }
    if (pdf.numPages > MOST_PAGES) warnings.push(`only the first ${MOST_PAGES} pages of ${pdf.numPages} were read`);
    const unread = await withPictures(pdf, pages, file.ocr, warnings);
    const { title, metadata } = await factsIn(pdf);
    return parsedOf(pdfBlocks(pages), {
      title,
      metadata: { ...metadata, ...ocrFacts(pages) },
      pages: pdf.numPages,
      warnings,
      unreadPages: unread,
    });
  } finally {
    await pdf.destroy();
  }
}

async function opened(data: Uint8Array, maxImageSize: number): Promise<Pdf> {
  try {
    return await getDocumentProxy(data, { verbosity: 0, useSystemFonts: false, stopAtErrors: false, maxImageSize });
  } catch (error) {
    if (error instanceof Error && error.name === 'PasswordException')
      throw new UnreadableFile('encrypted', 'The PDF is protected by a password. Save it without one.');
    throw new UnreadableFile('broken', `The PDF cannot be read: ${messageOf(error).slice(0, 200)}. Upload it again.`);
  }
}

/** Null, and a warning, where a page is damaged. */
async function pageOf(pdf: Pdf, number: number, warnings: string[]): Promise<PdfPage | null> {
  try {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    page.cleanup();
    const pieces = items.flatMap((item): PdfItem[] => {
      if (!('str' in item)) return [];
      const [a = 0, b = 0, , , x = 0, y = 0] = item.transform as number[];
      return [{ str: item.str, x, y, width: item.width, size: Math.hypot(a, b) || item.height || 1 }];
    });
    return { number, lines: linesOf(pieces) };
  } catch (error) {
    warnings.push(`page ${number} is damaged: ${messageOf(error).slice(0, 100)}`);
    return null;
  }
}

/**
 * Reads the pictures of pages without text, where they are to be read. Answers how many pages it left alone.
 * @throws UnreadableFile no_text where no page has any, broken where none can be read
 */
async function withPictures(pdf: Pdf, pages: PdfPage[], ocr: OcrRun | null, warnings: string[]): Promise<number> {
  if (pages.length === 0) throw new UnreadableFile('broken', 'No page of the PDF can be read. Upload it again.');
  const bare = pages.filter(({ lines }) => lines.length === 0);
  if (ocr && bare.length > 0) {
    await readPdfPictures(pdf, bare, ocr, warnings);
    alignSizes(pages);
  } else warnings.push(...withoutText(bare));
  if (pages.every(({ lines }) => lines.length === 0)) throw noText(pages.length, ocr, warnings);
  return ocr ? 0 : bare.length;
}

function withoutText(bare: readonly PdfPage[]): string[] {
  const named = bare.slice(0, SHOWN_PAGES).map(({ number }) => `no text layer, page ${number}: ${NO_TEXT_HINT}`);
  const more = bare.length - SHOWN_PAGES;
  return more > 0 ? [...named, `no text layer on ${more} more pages`] : named;
}

function noText(pages: number, ocr: OcrRun | null, warnings: readonly string[]): UnreadableFile {
  const why = ocr ? warnings.slice(0, SHOWN_REASONS).join('; ') : NO_TEXT_HINT;
  return new UnreadableFile('no_text', `No text layer on any of the ${pages} page(s): ${why}.`);
}

/** `D:20210315…` (ISO 32000-1, 7.9.4) as a date. */
const isoDate = (value: unknown): string | null => {
  const [, year, month, day] = /^D:(\d{4})(\d\d)(\d\d)/.exec(typeof value === 'string' ? value : '') ?? [];
  return year ? `${year}-${month}-${day}` : null;
};

async function factsIn(pdf: Pdf): Promise<{ title: string | null; metadata: Record<string, string> }> {
  const meta = await pdf.getMetadata().catch(() => null);
  const info = (meta?.info ?? {}) as Readonly<Record<string, unknown>>;
  const { title, ...metadata } = factsOf({
    title: info['Title'],
    author: info['Author'],
    subject: info['Subject'],
    keywords: info['Keywords'],
    created: isoDate(info['CreationDate']),
  });
  return { title: title ?? null, metadata };
}
