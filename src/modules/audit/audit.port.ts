import type { Sql } from '../../kernel/transaction.js';
import type { Caller } from '../security/principal.port.js';

/** Something that happened: what, on what, how it ended. Values must be no secret, no token and no text of a document. */
export interface AuditEntry {
  /** Module, noun and verb, e.g. `training.job.create`. */
  action: string;
  target?: { type: string; id: string };
  outcome: 'done' | 'refused' | 'failed';
  detail?: Readonly<Record<string, unknown>>;
}

/** Who was refused, as far as it is known. */
export type Refused = Pick<Caller, 'address' | 'requestId' | 'certificate'> & Partial<Caller>;

/**
 * The trail of every change and every refusal. A change is recorded in its own transaction: either by `record`, or, to
 * spare a round trip, by `SELECT audit_record($1::jsonb)` with the text that `row` answers.
 */
export abstract class AuditTrail {
  /** The parameter of `audit_record`; null where no trail is kept. */
  abstract row(caller: Caller, entry: AuditEntry): Promise<string | null>;
  /** Writes the entry in the transaction of `sql`. */
  abstract record(sql: Sql, caller: Caller, entry: AuditEntry): Promise<void>;
  /** Writes a refusal soon, in a transaction of its own; equal ones of one address are one row a minute. Never throws. */
  abstract refused(who: Refused, entry: Omit<AuditEntry, 'outcome'>): void;
}

/** Debug mode keeps no trail. */
export class NoAuditTrail extends AuditTrail {
  row(): Promise<null> {
    return Promise.resolve(null);
  }

  record(): Promise<void> {
    return Promise.resolve();
  }

  refused(): void {
    // Nothing is refused there either.
  }
}
