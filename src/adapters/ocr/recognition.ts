/** A picture as the engine takes it: the bytes of a pgm, png or jpg file. */
export interface Picture {
  bytes: Uint8Array;
  width: number;
  height: number;
  /** Dots an inch; null where the file does not say. */
  dpi: number | null;
  /** How the picture lies, as EXIF numbers it; 1 is upright. */
  orientation: number;
}

export interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

export interface RecognisedWord {
  text: string;
  /** 0 to 100. */
  confidence: number;
}

/** One line of a picture, in reading order; pixels, from the top left. */
export interface RecognisedLine {
  words: RecognisedWord[];
  box: Box;
  baseline: number;
  /** Of the row: as high as its letters with their ascenders and descenders. */
  height: number;
}

/** An upright picture in shades of gray, row by row. */
export interface GrayPicture {
  width: number;
  height: number;
  dpi: number;
  pixels: Uint8Array;
}

/** As a portable graymap (netpbm's P5), which any engine reads. */
export function pictureOf({ width, height, dpi, pixels }: GrayPicture): Picture {
  const head = Buffer.from(`P5\n${width} ${height}\n255\n`, 'latin1');
  const bytes = new Uint8Array(head.length + pixels.length);
  bytes.set(head);
  bytes.set(pixels, head.length);
  return { bytes, width, height, dpi, orientation: 1 };
}
