import { Injectable } from '@nestjs/common';
import { AdapterCatalog } from '../../adapters/adapter-catalog.port.js';
import { AutoRouter } from '../routing/auto-router.js';
import { asBase, AUTO, isSplit, resolveModel } from './model-names.js';
import { noSuchModel, type ModelChoice } from './model-choice.js';
import { ServedBase } from './served-base.js';

/** What of a request counts for the choice. */
export interface Asked {
  model: string;
  /** Keeps who sent it at the same version of a split alias; awaited only where there is one. */
  key: () => Promise<string | undefined>;
  /** The words to route by; awaited only for `auto`. */
  prompt: () => Promise<string>;
}

/** Says once, at admission, which model a request means. */
@Injectable()
export class ModelResolver {
  constructor(
    private readonly catalog: AdapterCatalog,
    private readonly base: ServedBase,
    private readonly router: AutoRouter,
  ) {}

  /** @throws AppError `not_found` with `model_not_found` */
  async choose({ model, key, prompt }: Asked): Promise<ModelChoice> {
    if (model === AUTO) return this.#routed(await prompt());
    const registry = this.catalog.snapshot();
    const sticky = isSplit(model, registry) ? await key() : undefined;
    // As it stands after the wait: what is resolved is what is answered.
    const resolved = await this.catalog.found((now) =>
      resolveModel(model, now, this.base.current(), { key: sticky, random: Math.random }),
    );
    if (!resolved) throw noSuchModel(model);
    return { resolved, asked: model, route: undefined };
  }

  async #routed(prompt: string): Promise<ModelChoice> {
    const base = this.base.known();
    const { decision, version } = await this.router.route(prompt, base);
    const resolved = version
      ? ({ target: { kind: 'version', version }, model: version.modelId } as const)
      : asBase(base);
    return { resolved, asked: AUTO, route: decision };
  }
}
