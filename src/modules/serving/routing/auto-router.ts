import { readFileSync } from 'node:fs';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { Log } from '../../../kernel/log.js';
import { AdapterCatalog, type CatalogSnapshot, type CatalogVersion } from '../../adapters/adapter-catalog.port.js';
import type { BaseModel } from '../base-model.js';
import { keywordsOf, routableVersions } from './candidates.js';
import { decideRoute, type RouteCandidate, type RouteDecision } from './decide-route.js';
import { DomainSimilarity } from './domain-similarity.js';
import { readRouterConfig, RouterConfigError, type RouterConfig } from './router-config.js';
import { scoreKeywords, stemCounts } from './score-adapter.js';

export interface Routed {
  decision: RouteDecision;
  /** Undefined: the base. */
  version: CatalogVersion | undefined;
}

/** Chooses the adapter for requests whose model is `auto`. */
@Injectable()
export class AutoRouter {
  #config: RouterConfig;

  constructor(
    private readonly catalog: AdapterCatalog,
    private readonly similarity: DomainSimilarity,
    private readonly settings: Settings,
    private readonly log: Log,
  ) {
    this.#config = this.#fromFile();
  }

  get config(): RouterConfig {
    return this.#config;
  }

  configure(config: RouterConfig): void {
    this.#config = config;
  }

  /** What the default is now; null: the base. */
  get defaultAdapter(): string | null {
    return this.settings.gateway.router.defaultAdapter ?? this.#config.options.defaultAdapter;
  }

  /** How it stands, in the words of the API. */
  get status() {
    const { exploration, embeddings } = this.settings.gateway.router;
    return { default_adapter: this.defaultAdapter, exploration, embeddings };
  }

  async route(prompt: string, base: BaseModel): Promise<Routed> {
    const registry = this.catalog.snapshot();
    const versions = routableVersions(registry, base.slug);
    const scored = await this.#scored(prompt, versions, registry);
    const fallback = this.#fallback(registry, base.slug);
    const decision = decideRoute(scored, this.#config.thresholds, fallback?.name ?? null, {
      explore: this.settings.gateway.router.exploration,
      random: Math.random,
    });
    return { decision, version: [fallback, ...versions].find((version) => version?.name === decision.adapter_id) };
  }

  async #scored(prompt: string, versions: CatalogVersion[], registry: CatalogSnapshot): Promise<RouteCandidate[]> {
    const counts = stemCounts(prompt);
    const alike = await this.similarity.of(prompt, versions);
    return versions.map((version, index) => {
      const { score, found } = scoreKeywords(counts, keywordsOf(version, registry, this.#config));
      const meaning = (alike[index] ?? 0) * this.#config.weights.embedding;
      const bonus = score + meaning > 0 ? this.#bonus(version) : 0;
      const reasons = [
        ...found,
        ...(bonus > 0 ? [`quality ${bonus.toFixed(2)}`] : []),
        ...(meaning > 0 ? [`meaning ${meaning.toFixed(2)}`] : []),
      ];
      return { adapter: version.name, score: score + meaning + bonus, reasons };
    });
  }

  /** Without a hit quality alone would choose. */
  #bonus({ metrics }: CatalogVersion): number {
    if (!this.#config.options.useDomainScore) return 0;
    return Math.max(0, metrics['domain_score'] ?? 0) * this.#config.weights.domainMetricBonus;
  }

  #fallback({ versions, aliases }: CatalogSnapshot, base: string): CatalogVersion | undefined {
    const name = this.defaultAdapter;
    if (name === null) return undefined;
    const id = aliases.find(({ alias }) => alias === name)?.versionId;
    return versions.find(
      (version) => version.base === base && [version.name, version.id, version.modelId].includes(id ?? name),
    );
  }

  /** @throws Error naming the file and every problem in it */
  #fromFile(): RouterConfig {
    const path = this.settings.gateway.router.config;
    try {
      return readRouterConfig(readFileSync(path, 'utf8'));
    } catch (error) {
      if (error instanceof RouterConfigError)
        throw new Error(`CLARA_ROUTER_CONFIG (${path}):\n${error.message}`, { cause: error });
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      this.log.warn('there is no router configuration; the usual thresholds and no static rules hold', { path });
      return readRouterConfig('');
    }
  }
}
