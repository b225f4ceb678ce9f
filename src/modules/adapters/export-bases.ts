import { Injectable } from '@nestjs/common';
import { Wakeups } from '../../kernel/wakeups.js';
import { TrainerEnvironment } from '../training/trainer-environment.port.js';
import type { VersionRecord } from './adapter-versions.port.js';
import { BaseModels } from './base-models.port.js';
import { ExportFailed } from './exporter.port.js';

const CHANNEL = 'adapter_exports';

/** What an export needs of this host: the trainer's environment, and the base as it was. */
@Injectable()
export class ExportBases {
  constructor(
    private readonly bases: BaseModels,
    private readonly environment: TrainerEnvironment,
    private readonly wakeups: Wakeups,
  ) {}

  isReady(): boolean {
    return this.environment.status().ready;
  }

  /** Calls back when there may be something to do. */
  onWork(listener: () => void): () => void {
    const offs = [this.environment.onChange(listener), this.wakeups.on(CHANNEL, listener)];
    return () => offs.forEach((off) => off());
  }

  /** Where it lay, or wherever the same one lies now. @throws ExportFailed */
  async folderOf({ base, base_path: path, base_hash: hash, adapter_config: config }: VersionRecord): Promise<string> {
    const { revision } = config;
    const named = await this.bases.of(path, typeof revision === 'string' ? revision : null);
    if (named.folder !== null && named.hash === hash) return named.folder;
    const same = (await this.bases.known()).find((each) => each.hash === hash);
    if (same?.folder) return same.folder;
    throw new ExportFailed(
      named.folder === null
        ? `The base ${base} is not on this host; put it into a folder of CLARA_MODEL_DIRS`
        : `The base ${base} is not the one that the adapter was made on: its files have changed`,
    );
  }
}
