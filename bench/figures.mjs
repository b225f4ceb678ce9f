/** @param {number[]} values */
export const sorted = (values) => values.toSorted((a, b) => a - b);

/**
 * Nearest rank: the value that `percent` of all values do not exceed.
 * @param {number[]} values
 * @param {number} percent
 */
export function percentile(values, percent) {
  const ordered = sorted(values);
  return ordered[Math.max(0, Math.ceil((percent / 100) * ordered.length) - 1)] ?? Number.NaN;
}

/** @param {number[]} values */
export function median(values) {
  const ordered = sorted(values);
  const middle = ordered.length >> 1;
  if (ordered.length % 2 === 1) return ordered[middle];
  return (ordered[middle - 1] + ordered[middle]) / 2;
}

/** @param {number[]} values */
export const spread = (values) => ({
  value: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
  of: values.length,
});

/**
 * Least squares.
 * @param {{x: number, y: number}[]} points
 * @returns {number} rise of y for one x
 */
export function slope(points) {
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  const top = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  return top / points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
}

/** Counts of whole-millisecond latencies: adding up the histograms of several processes loses nothing. */
export class Histogram {
  counts = Array.from({ length: 10_001 }, () => 0);

  /** @param {number} ms */
  add(ms) {
    this.counts[Math.min(10_000, Math.max(0, Math.ceil(ms)))] += 1;
  }

  /** @param {number[]} counts */
  merge(counts) {
    for (const [ms, count] of counts.entries()) this.counts[ms] += count;
  }

  get total() {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** @param {number} percent */
  percentile(percent) {
    const wanted = Math.ceil((percent / 100) * this.total);
    let seen = 0;
    return this.counts.findIndex((count) => (seen += count) >= wanted && seen > 0);
  }
}
