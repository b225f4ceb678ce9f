import { messageOf } from '../../kernel/errors.js';
import { asPdfLines } from '../ocr/ocr-lines.js';
import type { OcrRun } from '../ocr/ocr-run.js';
import { pagePicture } from '../ocr/page-picture.js';
import { pageLayers, type PdfPageProxy } from '../ocr/pdf-layers.js';
import { readPicture, type PictureText } from '../ocr/read-picture.js';
import { pictureOf } from '../ocr/recognition.js';
import type { PdfPage } from './pdf-blocks.js';

interface PdfPages {
  getPage(number: number): Promise<PdfPageProxy>;
}

/** Reads the pictures of pages without text into them; what stays without says why in the warnings. */
export async function readPdfPictures(pdf: PdfPages, bare: PdfPage[], run: OcrRun, warnings: string[]): Promise<void> {
  const { maxPages } = run.options;
  const taken = bare.slice(0, maxPages);
  for (const [done, page] of taken.entries()) {
    await run.tell({ done, of: taken.length });
    const why = await readPage(pdf, page, run).catch(
      (error: unknown) => `could not be drawn: ${messageOf(error).slice(0, 100)}`,
    );
    if (why) warnings.push(`no text layer, page ${page.number}: it ${why}`);
  }
  await run.tell({ done: taken.length, of: taken.length });
  const left = bare.length - taken.length;
  if (left > 0)
    warnings.push(`${left} more pages without a text layer: OCR reads ${maxPages} of one document (CLARA_OCR_PAGES)`);
}

/** Fills the page; null, or why it cannot. */
async function readPage(pdf: PdfPages, page: PdfPage, run: OcrRun): Promise<string | null> {
  const proxy = await pdf.getPage(page.number);
  try {
    const { layers, lost } = await pageLayers(proxy);
    if (layers.length === 0)
      return lost > 0
        ? 'has a picture that cannot be decoded, or is too large'
        : 'shows no picture: it is blank or drawn';
    const { width, height, transform } = proxy.getViewport({ scale: 1 });
    const place = transform as unknown as Parameters<typeof pagePicture>[1]['place'];
    const gray = pagePicture(layers, { width, height, place }, run.options);
    return fill(page, await readPicture(pictureOf(gray), run), { dpi: gray.dpi, height });
  } finally {
    proxy.cleanup();
  }
}

function fill(page: PdfPage, found: PictureText, shown: { dpi: number; height: number }): string | null {
  if (found.text === 'none') return found.why;
  page.lines = asPdfLines(found.lines, shown);
  page.ocr = Math.round(found.confidence);
  return null;
}
