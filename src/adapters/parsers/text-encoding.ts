import { analyse } from 'chardet';
import iconv from 'iconv-lite';

/** How a text is to be decoded. */
export interface Encoding {
  /** As iconv-lite names it. */
  name: string;
  /** Bytes of the byte order mark. */
  skip: number;
}

const marks: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['utf-32le', [0xff, 0xfe, 0, 0]],
  ['utf-32be', [0, 0, 0xfe, 0xff]],
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/** By the byte order mark, null where there is none. */
export function markedEncoding(head: Buffer): Encoding | null {
  const found = marks.find(([, bytes]) => bytes.every((byte, at) => head[at] === byte));
  return found ? { name: found[0], skip: found[1].length } : null;
}

/** UTF-16 without a mark: Latin text has a zero in every second byte. */
export function wideEncoding(head: Buffer): Encoding | null {
  const pairs = Math.floor(head.length / 2);
  if (pairs < 4) return null;
  const zeros = [0, 0];
  for (let at = 0; at < pairs * 2; at++) if (head[at] === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  if (odd > pairs * 0.6 && even < pairs * 0.05) return { name: 'utf-16le', skip: 0 };
  if (even > pairs * 0.6 && odd < pairs * 0.05) return { name: 'utf-16be', skip: 0 };
  return null;
}

/** The character set that an HTML or XML text declares in its first bytes. */
export function declaredEncoding(head: Buffer): string | null {
  const start = head.subarray(0, 2048).toString('latin1');
  const found =
    /^\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([\w.:-]{2,40})["']/i.exec(start) ??
    /<meta\s[^>]{0,300}?charset\s*=\s*["']?\s*([\w.:-]{2,40})/i.exec(start);
  const name = found?.[1]?.toLowerCase();
  // A text whose declaration could be read byte by byte is not in a wide encoding, whatever it says.
  if (!name || /^(utf-?16|utf-?32|ucs)/.test(name) || !iconv.encodingExists(name)) return null;
  // Browsers read it so: what calls itself Latin-1 on the web is Windows-1252.
  return /^(iso-?8859-?1|latin-?1|us-ascii|ascii)$/.test(name) ? 'windows-1252' : name;
}

const western = ['windows-1252', 'iso-8859-15', 'macintosh', 'cp850'];
const GERMAN = /[äöüÄÖÜß]/u;
const MARK = /[§„“”‚‘’«»–—…€°²³·•©®½¼]/u;
const LETTER = /\p{L}/u;

/** How much a decoded sample looks like German (or other western) text: higher is likelier. */
function likeness(text: string): number {
  let score = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char <= '\u007f') continue;
    const before = LETTER.test(text.charAt(at - 1));
    const after = LETTER.test(text.charAt(at + 1));
    score += scoreOf(char, before, after);
  }
  return score;
}

function scoreOf(char: string, before: boolean, after: boolean): number {
  if (GERMAN.test(char)) return before || after ? 3 : 1;
  if (MARK.test(char)) return before && after ? -2 : 1;
  if (LETTER.test(char)) return /[àáâãçèéêëìíîñòóôõùúûåæø]/iu.test(char) && (before || after) ? 1 : -1;
  return -3;
}

/**
 * The likeliest single- or multi-byte encoding of a text that is not UTF-8.
 * @param sample bytes with what surrounds its non-ASCII ones
 */
export function guessEncoding(sample: Buffer): string {
  const ranked = western
    .map((name) => ({ name, score: likeness(iconv.decode(sample, name)) }))
    .toSorted((one, other) => other.score - one.score);
  const best = ranked[0];
  const strange = sample.filter((byte) => byte >= 0x80).length;
  if (best && best.score >= strange) return best.name;
  const seen = analyse(sample).find(
    ({ name }) => !/^(utf|iso-8859-1$|iso-2022)/i.test(name) && iconv.encodingExists(name),
  );
  return seen && seen.confidence > 20 ? seen.name.toLowerCase() : (best?.name ?? 'windows-1252');
}
