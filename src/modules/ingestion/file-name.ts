const LONGEST = 400;
const LONGEST_PART = 120;

/** Marks and controls that turn the direction of a line or hide in it. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * The name of a file as it is shown and stored: parts joined by `/`, without what leads elsewhere (`..`, drives, a leading
 * slash) and without invisible characters. It never becomes a path on this host.
 */
export function cleanFileName(sent: string): string {
  const parts = sent
    .toWellFormed()
    .normalize('NFC')
    .replaceAll('\\', '/')
    .replace(/^[a-z]:(?=\/)/i, '')
    .split('/')
    .map((part) => part.replaceAll(HIDDEN, '').trim().slice(0, LONGEST_PART))
    .filter((part) => part !== '' && part !== '.' && part !== '..');
  const name = parts.join('/');
  return (name.length > LONGEST ? name.slice(-LONGEST) : name) || 'unnamed';
}

/** Makes names unique in their order: a second `a.txt` is `a (2).txt`. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const dot = name.lastIndexOf('.') > name.lastIndexOf('/') + 1 ? name.lastIndexOf('.') : name.length;
    let unique = name;
    for (let count = 2; taken.has(unique); count += 1) unique = `${name.slice(0, dot)} (${count})${name.slice(dot)}`;
    taken.add(unique);
    return unique;
  });
}
