import { imageSize } from 'image-size';
import { UnreadableFile } from '../../modules/documents/document-parser.port.js';
import { asPdfLines } from '../ocr/ocr-lines.js';
import { ocrFacts } from '../ocr/ocr-facts.js';
import { readPicture } from '../ocr/read-picture.js';
import type { Picture } from '../ocr/recognition.js';
import { pdfBlocks } from './pdf-blocks.js';
import { parsedOf, wholeFile, type Parsed, type SourceFile } from './source-file.js';

const A4_INCHES = { short: 8.27, long: 11.69 };
const POINTS = 72;
const OFF = 'Its text can be recognised with CLARA_OCR=on.';

/** A picture of one page: its text is recognised. */
export async function parsePicture(file: SourceFile): Promise<Parsed> {
  const bytes = new Uint8Array(await wholeFile(file));
  if (!file.ocr) throw new UnreadableFile('no_text', `It is a picture, and pictures are not read. ${OFF}`);
  const picture = measured(bytes);
  const { maxPixels } = file.ocr.options;
  if (picture.width * picture.height > maxPixels)
    throw new UnreadableFile(
      'too_large',
      `The picture has ${picture.width} x ${picture.height} pixels; at most ${maxPixels / 1_000_000} million are read (CLARA_OCR_MEGAPIXELS). Scan it at 300 dpi.`,
    );
  await file.ocr.tell({ done: 0, of: 1 });
  const found = await readPicture(picture, file.ocr);
  await file.ocr.tell({ done: 1, of: 1 });
  if (found.text === 'none') throw new UnreadableFile('no_text', `The picture ${found.why}.`);
  const dpi = assumedDpi(picture);
  const lines = asPdfLines(found.lines, { dpi, height: (picture.height / dpi) * POINTS });
  const page = { number: 1, lines, ocr: Math.round(found.confidence) };
  return parsedOf(pdfBlocks([page]), { pages: 1, metadata: ocrFacts([page]) });
}

function measured(bytes: Uint8Array): Picture {
  try {
    const { width, height, orientation } = imageSize(bytes);
    return { bytes, width, height, dpi: null, orientation: orientation ?? 1 };
  } catch {
    throw new UnreadableFile('broken', 'The picture is damaged: its size cannot be read. Upload it again.');
  }
}

/** Of a picture of an A4 page: only the proportions of its lines matter. */
const assumedDpi = ({ width, height }: Picture): number =>
  Math.max(Math.min(width, height) / A4_INCHES.short, Math.max(width, height) / A4_INCHES.long);
