import type { Matrix } from './matrix.js';

/** One picture on a page, in shades of gray, row by row from its top left. */
export interface PictureLayer {
  width: number;
  height: number;
  pixels: Uint8Array;
  /** 0: the page shows through; null: nowhere. */
  opacity: Uint8Array | null;
  /** Of the unit square, whose top edge is that of the picture, onto the page. */
  place: Matrix;
}

/** A picture as PDF.js decodes it. */
export interface DecodedPicture {
  width: number;
  height: number;
  /** Bits a row padded to whole bytes, RGB, or RGBA. */
  kind?: number;
  data?: Uint8Array | Uint8ClampedArray;
}

type Gray = Omit<PictureLayer, 'place'>;

/** PDF.js's ImageKind. */
const BITS = 1;
const RGB = 2;

/** In the weights of ITU-R BT.601. */
const luminance = (red: number, green: number, blue: number): number => (red * 77 + green * 150 + blue * 29) >> 8;

/** Null where it was not decoded. */
export function grayOf({ width, height, kind, data }: DecodedPicture): Gray | null {
  if (!data || width < 1 || height < 1) return null;
  if (kind === BITS) return { width, height, pixels: spread({ width, height, data }, 0, 255), opacity: null };
  const size = kind === RGB ? 3 : 4;
  const pixels = new Uint8Array(width * height);
  const opacity = size === 4 ? new Uint8Array(width * height) : null;
  for (let at = 0, from = 0; at < pixels.length; at++, from += size) {
    pixels[at] = luminance(data[from] ?? 0, data[from + 1] ?? 0, data[from + 2] ?? 0);
    if (opacity) opacity[at] = data[from + 3] ?? 0;
  }
  return { width, height, pixels, opacity };
}

/** A stencil: its zeros are painted in a shade, through its ones the page shows. */
export function stencilOf({ width, height, data }: DecodedPicture, shade: number): Gray | null {
  if (!data || width < 1 || height < 1) return null;
  const pixels = new Uint8Array(width * height).fill(shade);
  return { width, height, pixels, opacity: spread({ width, height, data }, 255, 0) };
}

/** Rows of bits, padded to whole bytes, as bytes. */
function spread(
  { width, height, data }: { width: number; height: number; data: Uint8Array | Uint8ClampedArray },
  zero: number,
  one: number,
): Uint8Array {
  const row = (width + 7) >> 3;
  const bytes = new Uint8Array(width * height);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at++)
      bytes[at] = ((data[y * row + (x >> 3)] ?? 255) >> (7 - (x & 7))) & 1 ? one : zero;
  return bytes;
}
