import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ifMissing, type SignedSeal } from './signer.js';

/** The signed heads outside the database, one line of JSON each. */
export class HeadFile {
  constructor(readonly path: string) {}

  /** Returns when the line is on the disk. */
  async append(head: SignedSeal): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const file = await open(this.path, 'a+', 0o600);
    try {
      const { size } = await file.stat();
      const last = size > 0 ? (await file.read(Buffer.alloc(1), 0, 1, size - 1)).buffer.toString() : '\n';
      // A crash in the middle of a line must not spoil the next one.
      await file.appendFile(`${last === '\n' ? '' : '\n'}${JSON.stringify(head)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** undefined where there is no file. Lines that are no heads are answered by number, from 1. */
  async read(): Promise<{ heads: SignedSeal[]; broken: number[] } | undefined> {
    const text = await readFile(this.path, 'utf8').catch(ifMissing);
    if (text === undefined) return undefined;
    const heads: SignedSeal[] = [];
    const broken: number[] = [];
    for (const [index, line] of text.split('\n').entries()) {
      const head = line === '' ? undefined : headOf(line);
      if (head) heads.push(head);
      else if (line !== '') broken.push(index + 1);
    }
    return { heads, broken };
  }
}

function headOf(line: string): SignedSeal | undefined {
  try {
    const head = JSON.parse(line) as SignedSeal;
    const texts = [head.hash, head.time, head.key, head.signature];
    return Number.isSafeInteger(head.seq) && texts.every((text) => typeof text === 'string') ? head : undefined;
  } catch {
    return undefined;
  }
}
