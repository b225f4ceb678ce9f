import { Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { AppError } from '../../../kernel/errors.js';
import { AdapterVersions } from '../../adapters/adapter-versions.port.js';
import { BaseModels } from '../../adapters/base-models.port.js';

/** What the training service calls the base that is set by CLARA_BASE_MODEL, or made on the spot. */
const DEFAULT = 'default';
const HUB_ID = /^[a-z0-9][\w.-]*\/[\w.-]+$/i;

/** What a job starts from. */
export interface StartModel {
  /** As /v1/models lists it. */
  name: string;
  /** `default`, a hub id or a folder; null: that of the version. */
  baseModel: string | null;
  versionId: string | null;
}

const asBase = (name: string, baseModel: string): StartModel => ({ name, baseModel, versionId: null });

/** Finds out what the `model` of a job means. */
@Injectable()
export class ModelNames {
  constructor(
    private readonly bases: BaseModels,
    private readonly versions: AdapterVersions,
    private readonly settings: Settings,
  ) {}

  /** @throws AppError `not_found` */
  async find(asked: string): Promise<StartModel> {
    const model = this.#default(asked) ?? (await this.#version(asked)) ?? (await this.#base(asked));
    if (model) return model;
    throw new AppError(
      'not_found',
      `The model \`${asked.slice(0, 200)}\` does not exist; GET /v1/models lists those that do`,
      [{ path: 'model', message: 'does not exist', code: 'model_not_found' }],
    );
  }

  #default(asked: string): StartModel | undefined {
    const slug = this.bases.defaultSlug();
    return [DEFAULT, slug, this.settings.training.baseModel].includes(asked) ? asBase(slug, DEFAULT) : undefined;
  }

  async #version(asked: string): Promise<StartModel | undefined> {
    const version = await this.versions.find(asked);
    if (!version || version.retired_at !== null) return undefined;
    return { name: version.model_id, baseModel: null, versionId: version.id };
  }

  /** One that lies here, else one of the hub: whether that has it, the training finds out. */
  async #base(asked: string): Promise<StartModel | undefined> {
    const found = (await this.bases.known()).find(({ slug, named }) => slug === asked || named === asked);
    if (found) return asBase(found.slug, found.named);
    if (!HUB_ID.test(asked)) return undefined;
    return asBase((await this.bases.of(asked)).slug, asked);
  }
}
