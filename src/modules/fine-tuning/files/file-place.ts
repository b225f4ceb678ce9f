import { mkdir } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { folderId } from '../../../kernel/folder-id.js';

/** The data folder as the database knows it: the application that has it reads its files, and no other. */
@Injectable()
export class FilePlace {
  #id: Promise<string> | undefined;

  constructor(private readonly settings: Settings) {}

  id(): Promise<string> {
    return (this.#id ??= this.#open());
  }

  async #open(): Promise<string> {
    const { data } = this.settings.folders;
    await mkdir(data, { recursive: true, mode: 0o700 });
    return folderId(data);
  }
}
