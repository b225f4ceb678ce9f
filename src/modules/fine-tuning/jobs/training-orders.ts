import { Injectable } from '@nestjs/common';
import { AppError } from '../../../kernel/errors.js';
import { AdapterVersions, type VersionRecord } from '../../adapters/adapter-versions.port.js';
import type { FineTuningFile, FineTuningOrder } from '../../training/fine-tuning-jobs.port.js';
import { FileFolder } from '../files/file-folder.js';
import type { OpenAiFile } from '../files/openai-file.js';
import type { ResolvedHyperparameters } from './hyperparameters.js';
import type { JobRow } from './job-row.js';

/** OpenAI keeps those of the last three epochs. */
const KEPT_CHECKPOINTS = 3;

/** Puts a checked job into the words of the training. */
@Injectable()
export class TrainingOrders {
  constructor(
    private readonly versions: AdapterVersions,
    private readonly folder: FileFolder,
  ) {}

  async order(
    row: JobRow,
    resolved: ResolvedHyperparameters,
    files: { train: OpenAiFile; validation: OpenAiFile | null },
  ): Promise<FineTuningOrder> {
    const { request } = row;
    const { rank, alpha, target_modules: targetModules } = request.lora;
    return {
      method: request.method,
      ...(await this.#start(row)),
      trainingFile: this.#file(files.train),
      ...(files.validation ? { validationFile: this.#file(files.validation) } : {}),
      overlay: {
        epochs: resolved.n_epochs,
        batchSize: resolved.batch_size,
        learningRate: resolved.learningRate,
        warmupSteps: resolved.warmupSteps,
        saveSteps: resolved.saveSteps,
        seed: request.seed,
        // Without a file for it nothing is held back: every row that was sent is trained on.
        ...(files.validation ? {} : { validationSplit: 0 }),
        ...(request.method === 'dpo' ? { beta: resolved.beta } : {}),
        ...(rank === undefined ? {} : { rank }),
        ...(alpha === undefined ? {} : { alpha }),
        ...(targetModules === undefined ? {} : { targetModules: targetsOf(targetModules) }),
      },
      ...(request.suffix === null ? {} : { suffix: request.suffix }),
      ...(row.metadata === null ? {} : { metadata: row.metadata }),
      keepCheckpoints: KEPT_CHECKPOINTS,
      idempotencyKey: row.id,
    };
  }

  /** The base that is trained on: `default`, a hub id or a folder. */
  async baseOf({ request }: JobRow): Promise<string> {
    return request.versionId === null
      ? (request.baseModel ?? 'default')
      : (await this.#version(request.versionId)).base_path;
  }

  async #start({ request }: JobRow): Promise<Pick<FineTuningOrder, 'baseModel' | 'startFrom'>> {
    if (request.versionId !== null) return { startFrom: (await this.#version(request.versionId)).path };
    return request.baseModel === null ? {} : { baseModel: request.baseModel };
  }

  /** @throws AppError `invalid` where it was removed since the job was made */
  async #version(id: string): Promise<VersionRecord> {
    const version = await this.versions.byId(id);
    if (version && version.files_removed_at === null) return version;
    throw new AppError('invalid', 'model: the version was removed meanwhile', [
      { path: 'model', message: 'was removed' },
    ]);
  }

  #file({ id, path, sha256 }: OpenAiFile): FineTuningFile {
    return { reference: id, path: this.folder.whole(path), sha256 };
  }
}

const targetsOf = (names: string[]): 'all-linear' | string[] => (names.includes('all-linear') ? 'all-linear' : names);
