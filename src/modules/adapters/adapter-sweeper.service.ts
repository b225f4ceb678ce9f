import { readdir, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { BackgroundLoop } from '../../kernel/background-loop.js';
import { Log } from '../../kernel/log.js';
import { isInside } from '../../kernel/safe-path.js';
import { isUuid } from '../../kernel/uuid.js';
import { AdapterPlace } from './adapter-place.js';
import { VersionChangesStore } from './version-changes.store.js';
import { VersionStore } from './version.store.js';

const PAUSE_MS = 300_000;
/** An upload takes no longer; what is older belongs to a request that ended with its process. */
const ABANDONED_MS = 6 * 3_600_000;

/** Removes the files of retired versions, and what uploads left behind. */
@Injectable()
export class AdapterSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #loop: BackgroundLoop;

  constructor(
    private readonly changes: VersionChangesStore,
    private readonly versions: VersionStore,
    private readonly place: AdapterPlace,
    private readonly settings: Settings,
    private readonly log: Log,
  ) {
    this.#loop = new BackgroundLoop('adapter files', PAUSE_MS, () => this.sweep(), log);
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#loop.stop();
  }

  wake(): void {
    this.#loop.ring();
  }

  /** One round. */
  async sweep(now = Date.now()): Promise<void> {
    for (const { id, path } of await this.changes.withFiles(await this.place.id())) await this.#remove(id, path);
    await this.#clean(this.place.incoming, now, () => Promise.resolve(true));
    await this.#clean(this.place.uploads, now, async (name) => isUuid(name) && !(await this.versions.byId(name)));
  }

  async #remove(id: string, path: string): Promise<void> {
    // What lies elsewhere is not ours to remove.
    const { data } = this.settings.folders;
    if (isInside(path, data) || isInside(path, await realpath(data))) await rm(path, { recursive: true, force: true });
    else this.log.warn('the files of a retired adapter lie outside of the data folder and stay', { adapter: id });
    await rm(join(this.place.exports, id), { recursive: true, force: true });
    await this.changes.filesRemoved(id);
  }

  async #clean(folder: string, now: number, isWaste: (name: string) => Promise<boolean>): Promise<void> {
    for (const name of await readdir(folder).catch(() => [])) {
      const path = join(folder, name);
      const changed = await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => now,
      );
      if (now - changed > ABANDONED_MS && (await isWaste(name))) await rm(path, { recursive: true, force: true });
    }
  }
}
