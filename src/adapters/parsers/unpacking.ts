import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ArchiveEntry, ArchiveLimits } from '../../modules/documents/archive-reader.port.js';
import { UnreadableFile } from '../../modules/documents/document-parser.port.js';
import { entryName } from './entry-name.js';
import { megabytes } from './source-file.js';

/** Small archives may pack much better than the ratio: it counts from here on. */
const RATIO_FROM_BYTES = 10 * 1_048_576;
/** Entries of any kind that are looked at, folders and links too. */
const LOOKED_AT = 4;

/** Counts what comes out of an archive, and ends it where a limit is passed. */
export class UnpackedCount {
  #bytes = 0;
  #entries = 0;
  #seen = 0;

  constructor(
    private readonly packedBytes: number,
    private readonly limits: ArchiveLimits,
  ) {}

  /** @throws UnreadableFile too_large */
  entry(): void {
    if (++this.#entries > this.limits.maxEntries) throw this.#tooMany();
  }

  /** An entry that is not written: folders without end are a bomb as well. */
  seen(): void {
    if (++this.#seen > this.limits.maxEntries * LOOKED_AT) throw this.#tooMany();
  }

  /** @throws UnreadableFile too_large */
  bytes(count: number): void {
    this.#bytes += count;
    const { maxBytes, maxRatio } = this.limits;
    if (this.#bytes > maxBytes)
      throw new UnreadableFile('too_large', `The archive holds more than ${megabytes(maxBytes)} unpacked. Split it.`);
    if (this.#bytes > RATIO_FROM_BYTES && this.#bytes > this.packedBytes * maxRatio)
      throw new UnreadableFile(
        'too_large',
        `The archive unpacks to more than ${maxRatio} times its size: that is how bombs are made. Upload its files.`,
      );
  }

  #tooMany(): UnreadableFile {
    return new UnreadableFile('too_large', `The archive has more than ${this.limits.maxEntries} files. Split it.`);
  }
}

/** A folder that entries are unpacked into, under names of ours. */
export class Unpacking {
  readonly entries: ArchiveEntry[] = [];

  private constructor(
    private readonly into: string,
    readonly count: UnpackedCount,
    private readonly signal: AbortSignal,
  ) {}

  /** @param path the archive */
  static async of(path: string, into: string, limits: ArchiveLimits, signal: AbortSignal): Promise<Unpacking> {
    signal.throwIfAborted();
    return new Unpacking(into, new UnpackedCount((await stat(path)).size, limits), signal);
  }

  /** Where the next entry goes. */
  nextPath(): string {
    return join(this.into, `entry-${String(this.entries.length + 1).padStart(6, '0')}`);
  }

  /**
   * Writes one entry; a folder or junk is passed over.
   * @param open gives its content
   * @throws UnreadableFile for a name that would escape, or where a limit is passed
   */
  async write(rawName: string, open: () => Promise<AsyncIterable<Buffer>> | AsyncIterable<Buffer>): Promise<void> {
    this.signal.throwIfAborted();
    this.count.seen();
    const name = entryName(rawName);
    if (name === null) return;
    this.count.entry();
    const path = this.nextPath();
    const entry: ArchiveEntry = { name, path, bytes: 0 };
    this.entries.push(entry);
    const counted = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        try {
          this.count.bytes(chunk.length);
          entry.bytes += chunk.length;
          done(null, chunk);
        } catch (error) {
          done(error as Error);
        }
      },
    });
    await pipeline(await open(), counted, createWriteStream(path, { flags: 'wx', mode: 0o600 }), {
      signal: this.signal,
    });
  }

  /** Removes what was written. */
  async undo(): Promise<void> {
    for (const { path } of this.entries) await rm(path, { force: true });
  }
}
