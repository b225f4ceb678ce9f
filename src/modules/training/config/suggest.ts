/**
 * Optimal string alignment distance: insertions, deletions, exchanges and swaps of neighbours that lead from one
 * text to the other (Damerau 1964, restricted form).
 */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const now = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const ways = [at(last, column) + 1, at(now, column - 1) + 1, at(last, column - 1) + (same ? 0 : 1)];
      now.push(Math.min(...ways, swapped ? at(before, column - 2) + 1 : Infinity));
    }
    [before, last] = [last, now];
  }
  return at(last, b.length);
}

const at = (row: number[], column: number): number => row[column] ?? Infinity;
const lastPart = (path: string): string => path.slice(path.lastIndexOf('.') + 1);
const LONGEST = 80;

/** The known path that was most likely meant: the same name in another section, else the one with least typing errors. */
export function nearest(path: string, known: Iterable<string>): string | undefined {
  if (path.length > LONGEST) return undefined;
  const tolerated = Math.max(1, Math.floor(lastPart(path).length / 4));
  const ranked = [...known].map((candidate) => {
    const moved = lastPart(candidate) === lastPart(path) && candidate !== path;
    return { candidate, errors: moved ? 0.5 : Math.min(distance(path, candidate), nameErrors(path, candidate)) };
  });
  const best = ranked.reduce((a, b) => (b.errors < a.errors ? b : a), { candidate: '', errors: Infinity });
  return best.errors <= tolerated ? best.candidate : undefined;
}

/** A misspelled name in a wrong section counts a little more than one in its own. */
const nameErrors = (path: string, candidate: string): number => distance(lastPart(path), lastPart(candidate)) + 0.6;
