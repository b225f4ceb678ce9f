import { open, type FileHandle } from 'node:fs/promises';
import { Zip, ZipDeflate } from 'fflate';

/** A ZIP archive that is written entry by entry. */
export class ZipFile {
  readonly #zip: Zip;
  #ready: Uint8Array[] = [];
  #problem: Error | null = null;

  private constructor(private readonly file: FileHandle) {
    this.#zip = new Zip((error, chunk) => {
      this.#problem ??= error;
      this.#ready.push(chunk);
    });
  }

  /** @throws where the file is there already */
  static async create(path: string): Promise<ZipFile> {
    return new ZipFile(await open(path, 'wx', 0o600));
  }

  async add(name: string, texts: AsyncIterable<string> | Iterable<string>): Promise<void> {
    const entry = new ZipDeflate(name, { level: 6 });
    this.#zip.add(entry);
    for await (const text of texts) {
      entry.push(Buffer.from(text));
      await this.#write();
    }
    entry.push(new Uint8Array(), true);
    await this.#write();
  }

  async end(): Promise<void> {
    this.#zip.end();
    await this.#write();
    await this.file.sync();
  }

  close(): Promise<void> {
    return this.file.close();
  }

  async #write(): Promise<void> {
    if (this.#problem) throw this.#problem;
    const ready = Buffer.concat(this.#ready);
    this.#ready = [];
    if (ready.length > 0) await this.file.appendFile(ready);
  }
}
