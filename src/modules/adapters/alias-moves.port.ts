import type { Caller } from '../security/principal.port.js';

/** One row of the history: a version was live under an alias from `from` to `to`. */
export interface Deployment {
  /** Rises with every change of any alias. */
  number: number;
  alias: string;
  versionId: string;
  versionName: string;
  /** Versions that took a share of the requests beside it. */
  splits: { versionId: string; weight: number }[];
  kind: 'move' | 'rollback';
  from: Date;
  /** null: it still is. */
  to: Date | null;
  by: string;
  evidence: Record<string, unknown>;
}

/** Who moves an alias, and on what evidence: numbers, a job, a judgement; no text of a document. */
export interface Reason {
  by: Caller;
  evidence: Readonly<Record<string, unknown>>;
}

/** Moves aliases: the alias, its row of the history and the audit row are one transaction. */
export abstract class AliasMoves {
  /**
   * Makes the alias where there is none.
   * @param to a version's id, or `previous`: the one that was live before the present one
   * @param reason with `splits`: shares (above 0, together at most 1) of the requests that go to other versions
   * @returns the deployment that is live now; the same as before where nothing would change
   * @throws AppError `not_found` for an unknown version; `conflict` for a retired one, or where there is no previous one;
   *   `invalid` for a name that no alias may have, or shares that are none
   */
  abstract move(
    alias: string,
    to: string,
    reason: Reason & { splits?: readonly { versionId: string; weight: number }[] },
  ): Promise<Deployment>;
  /** @throws AppError `not_found` */
  abstract remove(alias: string, reason: Reason): Promise<void>;
  /** Where `move(alias, 'previous')` would lead; undefined: nowhere. */
  abstract previous(alias: string): Promise<string | undefined>;
}
