import { messageOf } from '../../kernel/errors.js';
import { confidenceOf, legible } from './ocr-lines.js';
import type { OcrRun } from './ocr-run.js';
import type { Picture, RecognisedLine } from './recognition.js';

export type PictureText =
  | { text: 'read'; lines: RecognisedLine[]; /** 0 to 100. */ confidence: number }
  /** `why` goes on after "page 3". */
  | { text: 'none'; why: string };

/** The text of one picture, or why it has none. */
export async function readPicture(picture: Picture, { options, read }: OcrRun): Promise<PictureText> {
  let found: RecognisedLine[];
  try {
    found = await read(picture);
  } catch (error) {
    return { text: 'none', why: `could not be recognised: ${messageOf(error).slice(0, 100)}` };
  }
  const lines = legible(found, options.leastConfidence);
  const confidence = confidenceOf(lines);
  if (found.length === 0) return { text: 'none', why: 'is a picture without text' };
  if (lines.length > 0 && confidence >= options.leastConfidence) return { text: 'read', lines, confidence };
  const seen = Math.round(confidenceOf(found));
  return {
    text: 'none',
    why: `is unreadable: its text was recognised with a confidence of ${seen}, the least is ${options.leastConfidence}; scan it again, straight and at 200 to 300 dpi`,
  };
}
