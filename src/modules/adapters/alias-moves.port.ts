import type { Caller } from '../security/principal.port.js';

export interface AliasMove {
  alias: string;
  versionId: string;
  /** Why: an evaluation, a comparison, a sentence; kept with the deployment. */
  evidence: string | null;
  caller: Caller;
}

/** Moves aliases; the deployment and the audit row are written in the same transaction. */
export abstract class AliasMoves {
  /**
   * Makes the alias mean this version, whatever it meant before; splits end.
   * @returns the version that it meant before; null where it is new, or meant this one
   * @throws AppError `not_found` where the version is none, or is retired; `invalid` for a name that is none
   */
  abstract move(move: AliasMove): Promise<{ previous: string | null }>;
  /** Takes the alias away. @returns what it meant; null where there is none */
  abstract remove(alias: string, caller: Caller): Promise<{ previous: string | null }>;
  /** The version that the alias meant before the present one, by the deployments; undefined where there is none. */
  abstract before(alias: string): Promise<string | undefined>;
}
