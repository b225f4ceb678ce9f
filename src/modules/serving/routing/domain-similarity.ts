import { Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { Clock } from '../../../kernel/clock.js';
import type { CatalogVersion } from '../../adapters/adapter-catalog.port.js';
import { Embedder } from '../../documents/embedder.port.js';

/** A router may not hold up an answer for longer. */
const DEADLINE_MS = 400;
/** After it was missing, or too slow, it is left alone for so long. */
const REST_MS = 60_000;
/** Of a long prompt the beginning. */
const LOOKED_AT = 2000;
/** Differences below this mean nothing: models place unrelated texts at much the same distance. */
const LEAST = 0.05;

/** How near a prompt is to the domains of each version, in meaning; nothing where no embedder is there. */
@Injectable()
export class DomainSimilarity {
  readonly #vectors = new Map<string, number[]>();
  #restsUntil = 0;

  constructor(
    private readonly embedder: Embedder,
    private readonly settings: Settings,
    private readonly clock: Clock,
  ) {}

  /** Cosine above the mean of all, in order; empty where there is nothing to say. */
  async of(prompt: string, versions: readonly CatalogVersion[]): Promise<number[]> {
    const isAsked = this.settings.gateway.router.embeddings && versions.length > 1 && prompt.trim() !== '';
    if (!isAsked || this.clock.now() < this.#restsUntil) return [];
    try {
      return aboveMean(await this.#cosines(prompt.slice(0, LOOKED_AT), versions));
    } catch {
      this.#restsUntil = this.clock.now() + REST_MS;
      return [];
    }
  }

  async #cosines(prompt: string, versions: readonly CatalogVersion[]): Promise<number[]> {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const late = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
    );
    const asked = this.#embedded(prompt, versions, signal);
    return Promise.race([asked, late]);
  }

  async #embedded(prompt: string, versions: readonly CatalogVersion[], signal: AbortSignal): Promise<number[]> {
    const { name } = await this.embedder.model();
    const keys = versions.map(({ domains }) => domains.join(', '));
    const missing = keys.filter((key) => key !== '' && !this.#vectors.has(`${name}\n${key}`));
    if (missing.length > 0) {
      const made = await this.embedder.embed(missing, 'passage', signal);
      missing.forEach((key, index) => this.#vectors.set(`${name}\n${key}`, made[index] ?? []));
    }
    const [asked = []] = await this.embedder.embed([prompt], 'query', signal);
    return keys.map((key) => dot(asked, this.#vectors.get(`${name}\n${key}`) ?? []));
  }
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  b.reduce((sum, value, index) => sum + value * (a[index] ?? 0), 0);

/** What each has over the mean, where it is worth anything. */
function aboveMean(cosines: readonly number[]): number[] {
  const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
  return cosines.map((value) => (value - mean >= LEAST ? value - mean : 0));
}
