import { bool } from 'envalid';
import { listOf, whole } from './setting-kinds.js';

/** Languages whose data is installed with the application. */
const LANGUAGES = ['deu', 'eng'] as const;

export const ocrSpecs = {
  CLARA_OCR: bool({
    default: true,
    desc: 'Recognise the text (OCR) of PDF pages without a text layer and of pictures (png, jpg). Documents with text cost nothing.',
  }),
  CLARA_OCR_LANGUAGES: listOf(LANGUAGES)({
    default: ['deu', 'eng'],
    desc: 'Languages of scans, the most frequent first, out of deu and eng. The sign § is known to eng only.',
  }),
  CLARA_OCR_WORKERS: whole(
    1,
    64,
  )({
    default: 1,
    desc: 'Files whose pictures are recognised at the same time, each in a process that keeps a core busy.',
  }),
  CLARA_OCR_PAGES: whole(
    1,
    10_000,
  )({ default: 200, desc: 'Most pages of one document that are recognised; the others are named.' }),
  CLARA_OCR_PAGE_SECONDS: whole(
    1,
    3600,
  )({
    default: 120,
    desc: 'Longest time that recognising a page may take; one that takes longer is named, the others go on.',
  }),
  CLARA_OCR_MEMORY_MB: whole(
    384,
    1_048_576,
  )({
    default: 768,
    desc: 'Resident memory that a process may take while it recognises pictures; one that takes more is ended.',
  }),
  CLARA_OCR_DPI: whole(
    100,
    600,
  )({ default: 300, desc: 'Resolution that finer scans are brought down to, in dots an inch.' }),
  CLARA_OCR_MEGAPIXELS: whole(
    1,
    200,
  )({ default: 40, desc: 'Largest picture that is read, in millions of pixels: A4 at 600 dpi has 35.' }),
  CLARA_OCR_CONFIDENCE: whole(
    0,
    100,
  )({
    default: 60,
    desc: 'Least confidence (0 to 100) of the recognised text of a page; below, the page is named as unreadable and its text is not taken.',
  }),
};

type Read = {
  CLARA_OCR: boolean;
  CLARA_OCR_LANGUAGES: readonly string[];
  CLARA_OCR_WORKERS: number;
  CLARA_OCR_PAGES: number;
  CLARA_OCR_PAGE_SECONDS: number;
  CLARA_OCR_MEMORY_MB: number;
  CLARA_OCR_DPI: number;
  CLARA_OCR_MEGAPIXELS: number;
  CLARA_OCR_CONFIDENCE: number;
};

/** Null: OCR is off. */
export const ocrOf = (read: Read) =>
  read.CLARA_OCR
    ? ({
        languages: read.CLARA_OCR_LANGUAGES,
        workers: read.CLARA_OCR_WORKERS,
        memoryMb: read.CLARA_OCR_MEMORY_MB,
        maxPages: read.CLARA_OCR_PAGES,
        pageMs: read.CLARA_OCR_PAGE_SECONDS * 1000,
        dpi: read.CLARA_OCR_DPI,
        maxPixels: read.CLARA_OCR_MEGAPIXELS * 1_000_000,
        leastConfidence: read.CLARA_OCR_CONFIDENCE,
      } as const)
    : null;
