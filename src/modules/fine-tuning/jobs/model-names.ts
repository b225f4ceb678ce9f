import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { baseSlug, MADE_BASE } from '../../../kernel/base-slug.js';
import { AppError } from '../../../kernel/errors.js';
import { AdapterVersions } from '../../adapters/adapter-versions.port.js';

/** What the training service calls the base that is set by CLARA_BASE_MODEL, or made on the spot. */
const DEFAULT = 'default';
const HUB_ID = /^[a-z0-9][\w.-]*\/[\w.-]+$/i;
const VERSION = /^ft:/;

/** What a job starts from. */
export interface StartModel {
  /** As /v1/models lists it. */
  name: string;
  baseModel: string | null;
  versionId: string | null;
}

/** Finds out what the `model` of a job means. */
@Injectable()
export class ModelNames {
  constructor(
    private readonly versions: AdapterVersions,
    private readonly settings: Settings,
  ) {}

  /** @throws AppError `not_found` */
  async find(asked: string): Promise<StartModel> {
    const found = VERSION.test(asked) ? undefined : (this.#default(asked) ?? (await this.#folder(asked)));
    const model = found ?? (await this.#version(asked)) ?? hubModel(asked);
    if (model) return model;
    throw new AppError(
      'not_found',
      `The model \`${asked.slice(0, 200)}\` does not exist; GET /v1/models lists those that do`,
      [{ path: 'model', message: 'does not exist', code: 'model_not_found' }],
    );
  }

  #default(asked: string): StartModel | undefined {
    const { baseModel } = this.settings.training;
    const name = baseModel === undefined ? MADE_BASE : baseSlug(baseModel);
    const isMeant = asked === DEFAULT || asked === baseModel || asked.toLowerCase() === name;
    return isMeant ? { name, baseModel: DEFAULT, versionId: null } : undefined;
  }

  /** A folder of CLARA_MODEL_DIRS, by its slug. */
  async #folder(asked: string): Promise<StartModel | undefined> {
    const name = baseSlug(asked);
    for (const folder of this.settings.folders.models) {
      const entries = await readdir(folder).catch(() => []);
      const entry = entries.find((each) => baseSlug(each) === name);
      if (entry === undefined) continue;
      const path = join(folder, entry);
      if (await isFile(join(path, 'config.json'))) return { name, baseModel: path, versionId: null };
    }
    return undefined;
  }

  async #version(asked: string): Promise<StartModel | undefined> {
    const version = await this.versions.find(asked);
    if (!version || version.retired_at !== null) return undefined;
    return { name: version.model_id, baseModel: null, versionId: version.id };
  }
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** Whether the hub has it, the training finds out. */
const hubModel = (asked: string): StartModel | undefined =>
  HUB_ID.test(asked) ? { name: baseSlug(asked), baseModel: asked, versionId: null } : undefined;
