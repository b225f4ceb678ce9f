import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BackgroundLoop } from '../../../kernel/background-loop.js';
import { Log } from '../../../kernel/log.js';
import { FileFolder } from './file-folder.js';
import { FileStore } from './file.store.js';

const EVERY_MS = 300_000;
const AT_ONCE = 1000;
/** An upload that has not ended by then has no client any more. */
const ABANDONED_SECONDS = 86_400;

/** Removes the bytes that belong to no file: of deleted and expired ones, and what broken uploads left. */
@Injectable()
export class FileSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #loop: BackgroundLoop;

  constructor(
    private readonly store: FileStore,
    private readonly folder: FileFolder,
    log: Log,
  ) {
    this.#loop = new BackgroundLoop('openai files', EVERY_MS, () => this.sweep(), log);
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#loop.stop();
  }

  /** One round. @returns files that were removed from the disk */
  async sweep(seconds = ABANDONED_SECONDS): Promise<number> {
    await this.store.expire(AT_ONCE);
    const { abandoned, kept } = await this.folder.older(seconds);
    const living = await this.store.living([...kept.keys()]);
    const dead = [...kept].filter(([id]) => !living.has(id)).map(([, path]) => path);
    for (const path of [...abandoned, ...dead]) await this.folder.remove(path);
    return abandoned.length + dead.length;
  }
}
