import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { folderId } from '../../kernel/folder-id.js';

/** Where the files of adapters lie on this host. */
@Injectable()
export class AdapterPlace {
  #id: Promise<string> | undefined;

  constructor(private readonly settings: Settings) {}

  /** Of the data folder, whatever the host is called. */
  id(): Promise<string> {
    return (this.#id ??= this.#open());
  }

  /** Of uploaded adapters, each in a folder by its id. */
  get uploads(): string {
    return join(this.settings.folders.data, 'adapters');
  }

  /** Of uploads that are not checked yet. */
  get incoming(): string {
    return join(this.uploads, '.incoming');
  }

  get exports(): string {
    return join(this.settings.folders.data, 'exports');
  }

  /** Of one export. */
  exportOf({ version_id: versionId, id }: { version_id: string; id: string }): string {
    return join(this.exports, versionId, id);
  }

  async #open(): Promise<string> {
    const { data } = this.settings.folders;
    await mkdir(data, { recursive: true, mode: 0o700 });
    return folderId(data);
  }
}
