import { Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { AppError } from '../../../kernel/errors.js';
import { TrainerEnvironment } from '../../training/trainer-environment.port.js';
import { baseSlug, ggufSlug, MADE_BASE } from '../../../kernel/base-slug.js';
import type { BaseModel } from '../base-model.js';
import { Engines } from '../engines.port.js';

/** Which base answers here: known from the first moment, whether or not an engine runs. */
@Injectable()
export class ServedBase {
  #seen: string | undefined;
  #made: { key: string; base: BaseModel } | undefined;
  readonly since = new Date();

  constructor(
    private readonly engines: Engines,
    private readonly settings: Settings,
    private readonly trainer: TrainerEnvironment,
  ) {}

  /** Undefined only while none of your servers has answered yet and no setting names the base. */
  current(): BaseModel | undefined {
    const atEngine = this.#atEngine();
    const { baseModel } = this.settings.training;
    const isOurs = this.settings.serving.engine === 'embedded';
    const named = isOurs ? (baseModel ?? MADE_BASE) : (atEngine ?? this.#toBeSeen() ?? baseModel);
    if (named === undefined) return undefined;
    const folder = isOurs ? this.trainer.defaultModel() : undefined;
    const names = [named, atEngine, baseModel, folder].filter((name) => name !== undefined);
    const key = names.join('\n');
    if (this.#made?.key !== key) this.#made = { key, base: { slug: baseSlug(named), names: [...new Set(names)] } };
    return this.#made.base;
  }

  /** @throws AppError `unavailable` while it is not known */
  known(): BaseModel {
    const base = this.current();
    if (!base) throw new AppError('unavailable', 'No engine has told its base model yet; try again in a moment');
    return base;
  }

  /** What an engine that was not asked yet will call it, where the settings say so. */
  #toBeSeen(): string | undefined {
    const { serving, training } = this.settings;
    if (serving.engine === 'ollama') return serving.ollamaModel;
    return serving.gguf === undefined ? undefined : baseSlug(training.baseModel ?? ggufSlug(serving.gguf));
  }

  /** Its name at the first engine that ever was up. */
  #atEngine(): string | undefined {
    this.#seen ??= this.engines.all.find((engine) => engine.state().is === 'up')?.baseName();
    return this.#seen;
  }
}
