import { Injectable } from '@nestjs/common';
import { AppError, messageOf } from '../../kernel/errors.js';
import { AdapterCatalog, type CatalogVersion } from '../adapters/adapter-catalog.port.js';
import { AliasMoves, type Deployment, type Reason } from '../adapters/alias-moves.port.js';
import { checkTaken } from './control-errors.js';
import { findVersion, unknownAdapter } from './find-version.js';
import { ReplicaPool, type Loaded } from './replica-pool.js';
import { ServingTools } from './serving-tools.js';
import { WantedAdapters } from './wanted-adapters.js';

export interface Promotion {
  deployment: Deployment;
  version: CatalogVersion;
  loaded: readonly Loaded[];
}

interface Move {
  alias: string;
  to: string;
  reason: Reason;
}

/** Moves aliases without a gap: the new version is loaded beside the old one, which goes when nobody uses it any more. */
@Injectable()
export class PromotionService {
  constructor(
    private readonly catalog: AdapterCatalog,
    private readonly moves: AliasMoves,
    private readonly pool: ReplicaPool,
    private readonly wanted: WantedAdapters,
    private readonly tools: ServingTools,
  ) {}

  /** @throws AppError `not_found`; `conflict` where no replica that is up takes it: the alias stays where it was */
  async promote(reference: string, alias: string, reason: Reason): Promise<Promotion> {
    const version = await this.catalog.found((registry) => findVersion(registry, reference));
    if (!version) throw unknownAdapter(reference);
    return this.#swap(version, { alias, to: version.id, reason });
  }

  /** Back to the version that was live before. @throws AppError `conflict` where there is none, or no replica takes it */
  async rollback(alias: string, reason: Reason): Promise<Promotion> {
    const previous = await this.moves.previous(alias);
    if (previous === undefined)
      throw new AppError('conflict', `Nothing was live under "${alias}" before that could come back`);
    const version = await this.catalog.found((registry) => findVersion(registry, previous));
    if (!version) throw new AppError('conflict', `The version that was live under "${alias}" before is retired`);
    return this.#swap(version, { alias, to: 'previous', reason });
  }

  /** The alias means nothing any more. */
  async remove(alias: string, reason: Reason): Promise<void> {
    const before = this.#meant(alias);
    await this.moves.remove(alias, reason);
    await this.catalog.refresh();
    this.#retireSoon(before);
  }

  #swap(version: CatalogVersion, move: Move): Promise<Promotion> {
    // It counts as meant before it is loaded, or the reconciler would take it for one that should go.
    return this.wanted.coming(version.id, async () => {
      const { clock, metrics } = this.tools;
      const began = clock.now();
      this.wanted.use(version.id);
      const loaded = await this.pool.loadEverywhere(version);
      checkTaken(version.name, loaded);
      const before = this.#meant(move.alias);
      const deployment = await this.moves.move(move.alias, move.to, move.reason);
      await this.catalog.refresh();
      metrics.swapped(move.alias, clock.now() - began);
      this.#retireSoon(before.filter((id) => id !== version.id));
      return { deployment, version, loaded };
    });
  }

  #meant(alias: string): string[] {
    const found = this.catalog.snapshot().aliases.find((entry) => entry.alias === alias);
    return found ? [found.versionId, ...found.splits.map(({ versionId }) => versionId)] : [];
  }

  #retireSoon(versionIds: readonly string[]): void {
    for (const versionId of versionIds)
      void this.#retire(versionId).catch((error: unknown) =>
        this.tools.log.warn('an adapter that was replaced stays loaded', {
          version: versionId,
          error: messageOf(error),
        }),
      );
  }

  /** Lets the answers of the old version end; where somebody goes on using it by its own name, it stays. */
  async #retire(versionId: string): Promise<void> {
    const left = await this.pool.drain(versionId, this.tools.settings.serving.drainMs);
    if (left > 0 || this.wanted.importance(versionId) > 0 || this.wanted.row(versionId)?.how === 'asked') return;
    await this.wanted.forget(versionId);
    // An alias may have come back to it meanwhile.
    if (this.wanted.importance(versionId) === 0) await this.pool.dropUnused(versionId);
  }
}
