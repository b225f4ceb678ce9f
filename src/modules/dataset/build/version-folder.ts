import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { digestOf } from '../../../kernel/file-digest.js';
import type { StoredFile } from '../dataset-record.js';
import { KeptAnswers } from '../questions/kept-answers.js';

const ANSWERS = /^\.v\d+\.answers\.jsonl$/;

/** Makes a new or renamed entry of a folder survive a crash of the machine. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}

/** Hash and size of a file. */
export async function storedFile(path: string, dataFolder: string): Promise<StoredFile> {
  return { path: relative(dataFolder, path), ...(await digestOf(path)) };
}

/** Where the files of a dataset lie: `<data>/datasets/<id>/v<number>`, while it is built beside it under another name. */
export class VersionFolder {
  #published = false;

  private constructor(
    readonly dataset: string,
    private readonly number: number,
  ) {}

  static of(dataFolder: string, datasetId: string, number: number): VersionFolder {
    return new VersionFolder(join(dataFolder, 'datasets', datasetId), number);
  }

  get path(): string {
    return join(this.dataset, `v${this.number}`);
  }

  building(build: string): string {
    return join(this.dataset, `.v${this.number}-${build}`);
  }

  /** An empty folder for a build; what earlier builds of this version left is removed. */
  async prepare(build: string): Promise<string> {
    await mkdir(this.dataset, { recursive: true, mode: 0o700 });
    const left = (await readdir(this.dataset)).filter((name) => name.startsWith(`.v${this.number}-`));
    for (const name of left) await rm(join(this.dataset, name), { recursive: true, force: true });
    const path = this.building(build);
    await mkdir(path, { mode: 0o700 });
    return path;
  }

  /** What a model answered for this version; with what it answered for others of the set that came to nothing. */
  async openAnswers(): Promise<KeptAnswers> {
    const own = this.#answers(this.number);
    const others = (await this.#answered()).filter((path) => path !== own);
    return KeptAnswers.open(own, others);
  }

  /** Of this version and those before it. */
  async forgetAnswers(): Promise<void> {
    const now = Array.from({ length: this.number }, (_, index) => this.#answers(index + 1));
    const left = (await this.#answered()).filter((path) => now.includes(path));
    for (const path of left) await rm(path, { force: true });
  }

  #answers(number: number): string {
    return join(this.dataset, `.v${number}.answers.jsonl`);
  }

  async #answered(): Promise<string[]> {
    const names = await readdir(this.dataset).catch(() => []);
    return names.filter((name) => ANSWERS.test(name)).map((name) => join(this.dataset, name));
  }

  /**
   * Gives a finished build its name; again, for a transaction that is tried again: nothing.
   * A folder of that name is of a build that was never recorded.
   */
  async publish(build: string): Promise<void> {
    if (this.#published) return;
    await syncFolder(this.building(build));
    await rm(this.path, { recursive: true, force: true });
    await rename(this.building(build), this.path);
    this.#published = true;
    await syncFolder(this.dataset);
  }

  async discard(build: string): Promise<void> {
    await rm(this.building(build), { recursive: true, force: true });
  }
}
