/** How pictures of pages are recognised, and what that may take. */
export interface OcrOptions {
  /** Codes of tesseract, the most frequent first. */
  languages: readonly string[];
  /** Of one document. */
  maxPages: number;
  /** For one page. */
  pageMs: number;
  /** Finer pictures are brought down to it. */
  dpi: number;
  /** Of one picture. */
  maxPixels: number;
  /** 0 to 100; the text of a page below it is not taken. */
  leastConfidence: number;
}
