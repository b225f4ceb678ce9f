import { Decompress } from 'fzstd';

/** @param most bytes that may come of it @throws Error where it is no Zstandard, or holds more */
export function unpackZstd(packed: Uint8Array, most: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  const stream = new Decompress((part) => {
    length += part.length;
    if (length > most) throw new Error(`it holds more than ${most} bytes`);
    parts.push(part);
  });
  stream.push(packed, true);
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, length);
}
