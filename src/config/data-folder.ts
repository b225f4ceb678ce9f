import { mkdir } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { folderId } from '../kernel/folder-id.js';
import { Settings } from './settings.js';

/** The data folder as the database knows it: files that were taken in are found there, whatever the host is called. */
@Injectable()
export class DataFolder {
  #id: Promise<string> | undefined;

  constructor(protected readonly settings: Settings) {}

  id(): Promise<string> {
    return (this.#id ??= this.#open());
  }

  async #open(): Promise<string> {
    const { data } = this.settings.folders;
    await mkdir(data, { recursive: true, mode: 0o700 });
    return folderId(data);
  }
}
