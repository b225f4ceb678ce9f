import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { DataFolder } from '../../config/data-folder.js';

/** Where the files of adapters lie on this host. */
@Injectable()
export class AdapterPlace extends DataFolder {
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
}
