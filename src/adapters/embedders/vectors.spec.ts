import { EmbedderUnavailable } from '../../modules/documents/embedder.port.js';
import { checkDimension, decodeVectors, unit, weightedMean } from './vectors.js';

const encode = (numbers: number[]) => Buffer.from(new Float32Array(numbers).buffer).toString('base64');

describe('vectors', () => {
  it('are made as long as one', () => {
    expect(unit([3, 4])).toEqual([0.6, 0.8]);
  });

  it.each([[[0, 0]], [[Number.NaN, 1]], [[Number.POSITIVE_INFINITY, 1]], [[]]])('%j has no direction', (vector) => {
    expect(() => unit(vector)).toThrow(EmbedderUnavailable);
  });

  it('of windows count by the tokens in them', () => {
    expect(weightedMean([{ vector: [0.6, 0.8], weight: 7 }])).toEqual([0.6, 0.8]);
    const [x = 0, y = 0] = weightedMean([
      { vector: [1, 0], weight: 3 },
      { vector: [0, 1], weight: 4 },
    ]);
    expect(x).toBeCloseTo(0.6);
    expect(y).toBeCloseTo(0.8);
  });

  it('come as base64 of float32, one after the other', () => {
    expect(decodeVectors(encode([1, 0.5, -2, 0.25]), 2)).toEqual([
      [1, 0.5],
      [-2, 0.25],
    ]);
  });

  it('that are cut off are told from whole ones', () => {
    expect(() => decodeVectors(encode([1, 2, 3]), 2)).toThrow(/12 bytes for 2 vectors/);
    expect(() => decodeVectors('', 1)).toThrow(EmbedderUnavailable);
  });

  it('have the numbers that are wanted, if any are', () => {
    expect(() => checkDimension(768, 384)).toThrow(/768 numbers a vector instead of 384/);
    expect(() => checkDimension(384, 384)).not.toThrow();
    expect(() => checkDimension(5, undefined)).not.toThrow();
  });
});
