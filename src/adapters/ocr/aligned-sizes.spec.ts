import { alignSizes } from './aligned-sizes.js';

const line = (size: number, length = 40) => ({ text: 'x'.repeat(length), size });

describe('measured sizes', () => {
  it('become those of the text layer, headings in proportion', () => {
    const page = { lines: [line(18, 20), line(12), line(12)], ocr: 90 };
    alignSizes([{ lines: [line(10), line(10)] }, page]);
    expect(page.lines.map(({ size }) => size)).toEqual([15, 10, 10]);
  });

  it('are the same on all recognised pages, but for a page in another font', () => {
    const pages = [10, 10.5, 9, 20].map((size) => ({ lines: [line(size)], ocr: 90 }));
    alignSizes(pages);
    expect(pages.map(({ lines }) => lines[0]?.size)).toEqual([10, 10, 10, 20]);
    expect(() => alignSizes([{ lines: [] }])).not.toThrow();
  });
});
