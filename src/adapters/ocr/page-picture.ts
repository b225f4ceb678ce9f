import { chained, inverse, type Matrix } from './matrix.js';
import type { PictureLayer } from './picture-layer.js';
import type { GrayPicture } from './recognition.js';

export interface PageSize {
  /** As it is shown, in points. */
  width: number;
  height: number;
  /** Of the page's coordinates onto the shown page: points from its top left. */
  place: Matrix;
}

const POINTS = 72;
const LEAST_DPI = 72;
const WHITE = 255;

/** The shown page with its pictures in the finest resolution of them that the limits allow. */
export function pagePicture(
  layers: readonly PictureLayer[],
  page: PageSize,
  limits: { dpi: number; maxPixels: number },
): GrayPicture {
  const inches = (page.width / POINTS) * (page.height / POINTS);
  const finest = Math.max(LEAST_DPI, ...layers.map((layer) => dpiOf(layer)));
  const dpi = Math.min(finest, limits.dpi, Math.sqrt(limits.maxPixels / inches));
  const scale = dpi / POINTS;
  const width = Math.max(1, Math.round(page.width * scale));
  const height = Math.max(1, Math.round(page.height * scale));
  const picture = { width, height, dpi, pixels: new Uint8Array(width * height).fill(WHITE) };
  const onPicture = chained([width / page.width, 0, 0, height / page.height, 0, 0], page.place);
  for (const layer of layers) paint(picture, layer, chained(onPicture, layer.place));
  return picture;
}

function dpiOf({ width, height, place: [a, b, c, d] }: PictureLayer): number {
  const across = width / (Math.hypot(a, b) / POINTS);
  const down = height / (Math.hypot(c, d) / POINTS);
  return Number.isFinite(across + down) ? Math.max(across, down) : 0;
}

/** @param place of the unit square onto the pixels of the picture */
function paint(picture: GrayPicture, layer: PictureLayer, place: Matrix): void {
  const back = inverse(place);
  if (!back) return;
  const corners = [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ].map(([u = 0, v = 0]) => [place[0] * u + place[2] * v + place[4], place[1] * u + place[3] * v + place[5]]);
  const bound = (axis: 0 | 1, most: number): [number, number] => {
    const values = corners.map((corner) => corner[axis] ?? 0);
    return [Math.max(0, Math.floor(Math.min(...values))), Math.min(most, Math.ceil(Math.max(...values)))];
  };
  const [left, right] = bound(0, picture.width);
  const [top, bottom] = bound(1, picture.height);
  // The top edge of the unit square is v = 1, that of the pixels 0.
  const [ux, uy] = [back[0] * layer.width, back[2] * layer.width];
  const [vx, vy] = [-back[1] * layer.height, -back[3] * layer.height];
  const reach = Math.max(1, Math.round(Math.max(Math.hypot(ux, vx), Math.hypot(uy, vy))));
  for (let y = top; y < bottom; y++) {
    let u = ux * (left + 0.5) + uy * (y + 0.5) + back[4] * layer.width;
    let v = vx * (left + 0.5) + vy * (y + 0.5) + (1 - back[5]) * layer.height;
    for (let x = left, at = y * picture.width + left; x < right; x++, at++, u += ux, v += vx)
      blend(picture.pixels, at, layer, { u, v, reach });
  }
}

/** Lays the mean of `reach` times `reach` pixels around a place of the layer over a pixel. */
function blend(
  pixels: Uint8Array,
  at: number,
  { width, height, pixels: from, opacity }: PictureLayer,
  { u, v, reach }: { u: number; v: number; reach: number },
): void {
  const half = (reach - 1) / 2;
  const [x0, y0] = [Math.floor(u - half), Math.floor(v - half)];
  let [shade, cover, count] = [0, 0, 0];
  for (let y = Math.max(0, y0); y < Math.min(height, y0 + reach); y++)
    for (let x = Math.max(0, x0); x < Math.min(width, x0 + reach); x++) {
      const place = y * width + x;
      const opaque = opacity ? (opacity[place] ?? 0) : 255;
      shade += (from[place] ?? 255) * opaque;
      cover += opaque;
      count++;
    }
  if (cover === 0) return;
  const part = cover / (count * 255);
  pixels[at] = Math.round((shade / cover) * part + (pixels[at] ?? 255) * (1 - part));
}
