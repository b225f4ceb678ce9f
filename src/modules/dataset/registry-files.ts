import { stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { AppError } from '../../kernel/errors.js';
import { isUuid } from '../../kernel/uuid.js';
import type { Caller } from '../security/principal.port.js';
import { DatasetFiles, type DatasetFile } from './dataset-files.port.js';
import type { StoredFile, VersionRecord } from './dataset-record.js';
import { DatasetStore } from './dataset.store.js';
import { mayRead } from './readers.js';

const REFERENCE = /^dataset:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:@([1-9]\d{0,8}))?$/i;

const refusal = (message: string): AppError =>
  new AppError('invalid', `dataset_path: ${message}`, [{ path: 'dataset_path', message }]);

/** Files of the versions in the registry. */
@Injectable()
export class RegistryFiles extends DatasetFiles {
  constructor(
    private readonly store: DatasetStore,
    private readonly settings: Settings,
  ) {
    super();
  }

  async resolve(reference: string, caller: Caller): Promise<DatasetFile> {
    const [, id, number] = REFERENCE.exec(reference.trim()) ?? [];
    if (id === undefined)
      throw refusal(`"${reference.slice(0, 80)}" is no reference; write dataset:<id>@<version>, or dataset:<id>`);
    const datasetId = id.toLowerCase();
    const found = await this.store.byId(datasetId);
    if (!found || !mayRead(found.dataset, caller)) throw refusal(`there is no dataset ${datasetId} that you may read`);
    const wanted = number === undefined ? found.dataset.latest_completed : Number(number);
    if (wanted === null) throw refusal(`dataset ${datasetId} has no completed version; ${whyNot(found.version)}`);
    const version = await this.store.version(datasetId, wanted);
    if (!version) throw refusal(`dataset ${datasetId} has no version ${wanted}`);
    if (version.state !== 'completed')
      throw refusal(`version ${wanted} of dataset ${datasetId} cannot be trained on; ${whyNot(version)}`);
    return this.#file(version);
  }

  async checkPath(path: string, caller: Caller): Promise<void> {
    const { root, folders } = this.settings;
    const [datasetId = ''] = relative(join(folders.data, 'datasets'), resolve(root, path)).split(sep);
    if (!isUuid(datasetId)) return;
    const found = await this.store.byId(datasetId);
    // In the words of a path that is not there, so that nobody learns which sets exist.
    if (!found || !mayRead(found.dataset, caller))
      throw refusal(`${JSON.stringify(path.slice(0, 200))} does not exist`);
  }

  async #file(version: VersionRecord): Promise<DatasetFile> {
    const { dataset_id: datasetId, number, files, content_hash: contentHash } = version;
    if (!files.train || contentHash === null)
      throw refusal(`version ${number} of dataset ${datasetId} has no rows to train on`);
    return {
      datasetId,
      version: number,
      reference: `dataset:${datasetId}@${number}`,
      contentHash,
      train: await this.#present(files.train, version),
      validation: files.validation ? await this.#present(files.validation, version) : null,
    };
  }

  async #present(
    { path, sha256, bytes }: StoredFile,
    version: VersionRecord,
  ): Promise<{ path: string; sha256: string }> {
    const whole = join(this.settings.folders.data, path);
    const size = await stat(whole).then(
      ({ size: found }) => found,
      () => undefined,
    );
    if (size === bytes) return { path: whole, sha256 };
    throw refusal(
      size === undefined
        ? `the files of version ${version.number} of dataset ${version.dataset_id} are not on this host`
        : `a file of version ${version.number} of dataset ${version.dataset_id} was changed; make a new version`,
    );
  }
}

const whyNot = ({ number, state, error }: Pick<VersionRecord, 'number' | 'state' | 'error'>): string =>
  state === 'failed' ? `version ${number} failed: ${error ?? 'unknown'}` : `version ${number} is ${state}: wait for it`;
