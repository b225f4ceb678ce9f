import { originalQuality } from './original-quality.js';

const whole = { title: 'VwVfG', domain: 'law', document_type: 'statute', other: 1 };

describe('the quality of the original', () => {
  it.each([
    [0, {}, 0, 0.1],
    [200, {}, 0, 0.1],
    [201, {}, 0, 0.2],
    [500, {}, 0, 0.2],
    [501, {}, 0, 0.3],
    [1000, {}, 0, 0.3],
    [1001, {}, 0, 0.4],
    [1001, whole, 1, 1],
    [1001, { title: 'x' }, 0.5, 0.65],
    [300, { domain: '', document_type: null }, 0.25, 0.475],
    [300, {}, 7, 0.5],
    [300, {}, -1, 0.2],
  ])('of %i characters with %j and relevance %d is %d', (characters, metadata, relevance, quality) => {
    expect(originalQuality('ä'.repeat(characters), metadata, relevance)).toBe(quality);
  });
});
