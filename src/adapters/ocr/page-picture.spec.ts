import { pagePicture } from './page-picture.js';
import { grayOf, stencilOf, type PictureLayer } from './picture-layer.js';
import type { Matrix } from './matrix.js';

const LIMITS = { dpi: 300, maxPixels: 1_000_000 };
/** A page of 2 x 1 points whose coordinates begin at the bottom left. */
const page = { width: 2, height: 1, place: [1, 0, 0, -1, 0, 1] as Matrix };
const whole: Matrix = [2, 0, 0, 1, 0, 0];

const layer = (rows: number[][], place: Matrix = whole): PictureLayer => ({
  width: rows[0]?.length ?? 0,
  height: rows.length,
  pixels: Uint8Array.from(rows.flat()),
  opacity: null,
  place,
});

const drawn = (layers: PictureLayer[], limits = LIMITS, of = page): number[][] => {
  const { width, height, pixels } = pagePicture(layers, of, limits);
  return Array.from({ length: height }, (_, y) => [...pixels.subarray(y * width, (y + 1) * width)]);
};

const rows = [
  [10, 20, 30, 40],
  [50, 60, 70, 80],
];

describe('the picture of a page', () => {
  it('of one picture is that picture, pixel by pixel', () => {
    expect(drawn([layer(rows)])).toEqual(rows);
    expect(pagePicture([layer(rows)], page, LIMITS).dpi).toBe(144);
  });

  it('is brought down to the resolution and the size that are allowed, in the mean of its pixels', () => {
    expect(drawn([layer(rows)], { dpi: 72, maxPixels: 1e6 })).toEqual([[35, 55]]);
    expect(drawn([layer(rows)], { dpi: 300, maxPixels: 2 })).toEqual([[35, 55]]);
  });

  it('is turned as the page is shown, and a picture that hangs upside down with it', () => {
    const turned = { width: 1, height: 2, place: [0, 1, 1, 0, 0, 0] as Matrix };
    expect(drawn([layer(rows)], LIMITS, turned)).toEqual([
      [50, 10],
      [60, 20],
      [70, 30],
      [80, 40],
    ]);
    expect(drawn([layer(rows, [2, 0, 0, -1, 0, 1])])).toEqual(rows.toReversed());
  });

  it('of strips is put together, white where there is none', () => {
    const strip = layer([[7, 7]], [1, 0, 0, 0.5, 1, 0.5]);
    expect(drawn([strip])).toEqual([
      [255, 255, 7, 7],
      [255, 255, 255, 255],
    ]);
  });

  it('of text as a stencil over paper shows both', () => {
    const paper = layer([[200, 200]]);
    const data = Uint8Array.of(0b0111_0000, 0b1110_0000);
    const text = stencilOf({ width: 4, height: 2, data }, 0);
    if (!text) throw new Error('there is no stencil');
    expect(drawn([paper, { ...text, place: whole }])).toEqual([
      [0, 200, 200, 200],
      [200, 200, 200, 0],
    ]);
  });

  it('leaves out a picture without extent', () => {
    expect(
      drawn([layer(rows, [0, 0, 0, 0, 0, 0])])
        .flat()
        .every((shade) => shade === 255),
    ).toBe(true);
  });
});

describe('decoded pictures', () => {
  it.each([
    [
      'bits',
      { kind: 1, width: 9, height: 1, data: Uint8Array.of(0b1010_0000, 0b1000_0000) },
      [255, 0, 255, 0, 0, 0, 0, 0, 255],
    ],
    ['RGB', { kind: 2, width: 2, height: 1, data: Uint8Array.of(255, 255, 255, 255, 0, 0) }, [255, 76]],
    ['RGBA', { kind: 3, width: 1, height: 1, data: Uint8Array.of(0, 0, 0, 9) }, [0]],
  ])('of %s become shades of gray', (_kind, picture, pixels) => {
    expect([...(grayOf(picture)?.pixels ?? [])]).toEqual(pixels);
  });

  it('that were not decoded are none', () => {
    expect(grayOf({ width: 4, height: 4 })).toBeNull();
    expect(stencilOf({ width: 0, height: 4, data: new Uint8Array(4) }, 0)).toBeNull();
  });
});
