import type { Buffer } from 'node:buffer';

export interface ScanOptions {
  /** 150 */
  dpi?: number;
  /** serif */
  font?: 'serif' | 'sans';
  /** Of the text, in points: 11. */
  size?: number;
  /** Degrees clockwise that the lines lie askew: 0. */
  askew?: number;
  /** Share of the pixels with a speck on them: 0. */
  specks?: number;
  seed?: number;
  /** png */
  format?: 'png' | 'jpeg';
}
export function scanOf(lines: readonly string[], options?: ScanOptions): Buffer;
export function pdfOfScans(pages: readonly (Buffer | { text: readonly string[] } | null)[]): Promise<Buffer>;
