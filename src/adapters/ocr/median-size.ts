interface Sized {
  size: number;
  letters: number;
}

/** The median of sizes by the letters that have them; null where there are none. */
export function medianSize(lines: readonly Sized[]): number | null {
  const half = lines.reduce((sum, { letters }) => sum + letters, 0) / 2;
  let seen = 0;
  const sorted = lines.toSorted((one, other) => one.size - other.size);
  return sorted.find(({ letters }) => (seen += letters) >= half)?.size ?? null;
}
