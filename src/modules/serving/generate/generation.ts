import { Injectable } from '@nestjs/common';
import { AdapterCatalog, type CatalogSnapshot } from '../../adapters/adapter-catalog.port.js';
import { noSuchModel } from '../gateway/model-choice.js';
import { asBase, asVersion, resolveModel, type ResolvedModel } from '../gateway/model-names.js';
import { ServedBase } from '../gateway/served-base.js';
import { AutoRouter, type Routed } from '../routing/auto-router.js';
import type { GenerationOptions } from './generate.dto.js';

/** The alias that answers where none is named and nothing is routed, as the original's active adapter. */
const ACTIVE = 'active';

/** Which adapter an original request means. */
@Injectable()
export class GenerationChoice {
  constructor(
    private readonly catalog: AdapterCatalog,
    private readonly base: ServedBase,
    private readonly router: AutoRouter,
  ) {}

  /** The named one, else the routed one, else the active one, else the base. @throws AppError */
  async of(
    prompt: string,
    { adapter_id: named, route, require_confidence: least = 0 }: GenerationOptions,
  ): Promise<ResolvedModel> {
    if (named !== undefined) return (await this.catalog.found((registry) => this.#in(registry, named))) ?? fail(named);
    const base = this.base.known();
    if (route === false) return this.#named(ACTIVE) ?? asBase(base);
    const { decision, version } = await this.router.route(prompt, base);
    const isSure = !decision.fallback && decision.confidence >= least;
    if (version && (isSure || decision.fallback)) return asVersion(version);
    return this.#named(this.router.defaultAdapter ?? ACTIVE) ?? asBase(base);
  }

  route(prompt: string): Promise<Routed> {
    return this.router.route(prompt, this.base.known());
  }

  #named(name: string): ResolvedModel | undefined {
    return this.#in(this.catalog.snapshot(), name);
  }

  #in(registry: CatalogSnapshot, name: string): ResolvedModel | undefined {
    return resolveModel(name, registry, this.base.current(), { key: undefined, random: Math.random });
  }
}

const fail = (name: string): never => {
  throw noSuchModel(name);
};
