import { EmbedderUnavailable } from '../../modules/documents/embedder.port.js';

const BYTES = 4;

/** @throws EmbedderUnavailable where a vector has no direction */
export function unit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  if (!Number.isFinite(length) || length === 0)
    throw new EmbedderUnavailable('the embedding model gave a vector without a direction (zero or not a number)');
  return vector.map((value) => value / length);
}

/** The mean of unit vectors, of unit length again; a part counts as much as its weight. */
export function weightedMean(parts: readonly { vector: readonly number[]; weight: number }[]): number[] {
  const [first] = parts;
  if (parts.length === 1 && first) return [...first.vector];
  const sum = Array.from({ length: first?.vector.length ?? 0 }, () => 0);
  for (const { vector, weight } of parts)
    for (const [index, value] of vector.entries()) sum[index] = (sum[index] ?? 0) + weight * value;
  return unit(sum);
}

/**
 * Vectors as the worker and the OpenAI API write them: base64 of float32, little endian.
 * @param count of vectors that stand one after the other
 * @throws EmbedderUnavailable where the bytes are not those of so many vectors
 */
export function decodeVectors(base64: string, count: number): number[][] {
  const bytes = Buffer.from(base64, 'base64');
  const dimension = bytes.length / BYTES / count;
  if (!Number.isInteger(dimension) || dimension === 0)
    throw new EmbedderUnavailable(`the embedding model gave ${bytes.length} bytes for ${count} vectors`);
  // Copied, since a float array must begin at a multiple of four.
  const numbers = new Float32Array(new Uint8Array(bytes).buffer);
  return Array.from({ length: count }, (_, row) =>
    Array.from(numbers.subarray(row * dimension, (row + 1) * dimension)),
  );
}

/**
 * @param wanted undefined: any
 * @throws EmbedderUnavailable where they differ
 */
export function checkDimension(found: number, wanted: number | undefined): void {
  if (wanted !== undefined && found !== wanted)
    throw new EmbedderUnavailable(
      `the embedding model gives ${found} numbers a vector instead of ${wanted}; ` +
        'is CLARA_EMBEDDING_MODEL (or CLARA_EMBEDDING_DIMENSION) the right one?',
    );
}
