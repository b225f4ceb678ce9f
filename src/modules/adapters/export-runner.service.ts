import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { BackgroundLoop } from '../../kernel/background-loop.js';
import { AppError, messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { readFolder } from './adapter-folder.js';
import { AdapterPlace } from './adapter-place.js';
import type { VersionRecord } from './adapter-versions.port.js';
import { mustHaveRoom } from './disk-room.js';
import { ExportBases } from './export-bases.js';
import { ExportStore, type ExportEnd, type ExportRecord } from './export.store.js';
import { AdapterExporter, ExportFailed } from './exporter.port.js';
import { VersionStore } from './version.store.js';

const PAUSE_MS = 10_000;
const LOOK_MS = 1000;

class Cancelled extends Error {}

async function folderBytes(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map((name) => stat(join(folder, name)).then(({ size }) => size));
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Makes the exports of this data folder, one after the other. */
@Injectable()
export class ExportRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #owner = randomUUID();
  readonly #loop: BackgroundLoop;
  #off: (() => void) | undefined;

  constructor(
    private readonly store: ExportStore,
    private readonly versions: VersionStore,
    private readonly bases: ExportBases,
    private readonly exporter: AdapterExporter,
    private readonly place: AdapterPlace,
    private readonly settings: Settings,
    log: Log,
  ) {
    this.#loop = new BackgroundLoop('adapter exports', PAUSE_MS, (signal) => this.runNext(signal), log);
  }

  onApplicationBootstrap(): void {
    this.#off = this.bases.onWork(() => this.#loop.ring());
    this.#loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#off?.();
    await this.#loop.stop();
  }

  /** @returns whether there was one */
  async runNext(stop: AbortSignal): Promise<boolean> {
    if (!this.bases.isReady()) return false;
    const row = await this.store.claim(this.#owner, await this.place.id());
    if (!row) return false;
    const end = await this.#run(row, stop).catch((error: unknown) => this.#endOf(error, stop));
    const state = await this.store.end(row.id, this.#owner, end);
    if (state !== 'completed') await rm(this.place.exportOf(row), { recursive: true, force: true });
    return true;
  }

  async #run(row: ExportRecord, stop: AbortSignal): Promise<ExportEnd> {
    const version = await this.versions.byId(row.version_id);
    if (!version) throw new ExportFailed('The adapter is gone');
    const partial = `${this.place.exportOf(row)}.partial`;
    await rm(partial, { recursive: true, force: true });
    try {
      await this.#write(row, version, { partial, stop });
      const { files, bytes } = await readFolder(partial);
      await rm(this.place.exportOf(row), { recursive: true, force: true });
      await rename(partial, this.place.exportOf(row));
      return { state: 'completed', files, bytes };
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }

  async #write(
    row: ExportRecord,
    version: VersionRecord,
    { partial, stop }: { partial: string; stop: AbortSignal },
  ): Promise<void> {
    const base = await this.bases.folderOf(version);
    await mustHaveRoom(this.settings, 2 * version.bytes + (row.format === 'gguf' ? 0 : await folderBytes(base)));
    await mkdir(join(this.place.exports, version.id), { recursive: true, mode: 0o700 });
    const cancel = new AbortController();
    const late = AbortSignal.timeout(this.settings.adapters.exportSeconds * 1000);
    const state: { phase: string | null; progress: number } = { phase: null, progress: 0 };
    const look = async (): Promise<void> => {
      const isCancelled = await this.store.progress(row.id, state.phase, state.progress).catch(() => false);
      if (isCancelled) cancel.abort(new Cancelled());
    };
    const timer = setInterval(() => void look(), LOOK_MS);
    try {
      const request = { base, adapter: version.path, out: partial, name: version.name, format: row.format };
      const report = (phase: string, progress: number): void => void Object.assign(state, { phase, progress });
      await this.exporter.run(request, report, AbortSignal.any([stop, cancel.signal, late]));
    } finally {
      clearInterval(timer);
    }
  }

  #endOf(error: unknown, stop: AbortSignal): ExportEnd {
    if (stop.aborted) return { state: 'pending' };
    if (error instanceof Cancelled) return { state: 'cancelled' };
    if (error instanceof DOMException && error.name === 'TimeoutError')
      return { state: 'failed', error: 'The export took longer than CLARA_EXPORT_MINUTES' };
    if (error instanceof ExportFailed || error instanceof AppError) return { state: 'failed', error: error.message };
    return { state: 'failed', error: `The export failed: ${messageOf(error)}` };
  }
}
