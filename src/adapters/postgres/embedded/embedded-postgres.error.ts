type EmbeddedPostgresProblem =
  | 'blocked_folder'
  | 'foreign_owner'
  | 'no_unprivileged_user'
  | 'binaries'
  | 'not_a_database'
  | 'wrong_version'
  | 'initdb_failed'
  | 'start_failed'
  | 'unreachable';

/** Why the embedded PostgreSQL cannot be had; the message names the folder or process and the remedy. */
export class EmbeddedPostgresError extends Error {
  constructor(
    readonly problem: EmbeddedPostgresProblem,
    message: string,
  ) {
    super(message);
    this.name = 'EmbeddedPostgresError';
  }
}
