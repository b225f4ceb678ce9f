import { setTimeout as wait } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { messageOf } from '../../kernel/errors.js';
import type { Log } from '../../kernel/log.js';
import { isDatabaseAway, type Sql } from '../../kernel/transaction.js';
import { AuditTrail, type AuditEntry, type Refused } from './audit.port.js';
import type { Caller } from '../security/principal.port.js';
import { masked, plain } from './masking.js';
import { RefusalCounter, type Refusal } from './refusal-counter.js';
import type { Subjects } from './subjects.js';

const MOST_WAITING = 10_000;
const WRITTEN_AT_ONCE = 200;
const LONGEST_TEXT = 300;
const AGAIN_MS = 500;
const COUNT_EVERY_MS = 1000;

const NOBODY: Refused = { address: '', requestId: '', certificate: null };

/** The trail in the tables audit_…; changes write into their own transaction, refusals through a bounded queue. */
export class PostgresAuditTrail extends AuditTrail {
  readonly #counter: RefusalCounter;
  readonly #waiting: Refusal[] = [];
  #lost = 0;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(
    private readonly source: DataSource,
    private readonly subjects: Subjects,
    private readonly log: Log,
    now: () => number = Date.now,
  ) {
    super();
    this.#counter = new RefusalCounter(now);
    this.#timer = setInterval(() => this.#countRows('ended'), COUNT_EVERY_MS).unref();
  }

  async row(caller: Caller, entry: AuditEntry): Promise<string> {
    return this.#text(caller, entry);
  }

  async record(sql: Sql, caller: Caller, entry: AuditEntry): Promise<void> {
    await sql.query('SELECT audit_record($1::jsonb)', [await this.#text(caller, entry, sql)]);
  }

  /** What the application itself does: starts, stops, sweeps. */
  async own(action: string, detail: Readonly<Record<string, unknown>>): Promise<void> {
    const text = await this.#text(NOBODY, { action, outcome: 'done', detail });
    await this.source.query('SELECT audit_record($1::jsonb)', [text]);
  }

  refused(who: Refused, entry: Omit<AuditEntry, 'outcome'>): void {
    const now = this.#counter.add({ who, entry });
    if (now) this.#enqueue(now);
  }

  /** Writes what is counted and waits; what the database does not take in time is logged as lost. */
  async close(deadlineMs: number): Promise<void> {
    clearInterval(this.#timer);
    this.#countRows('all');
    this.#closing = true;
    await Promise.race([this.#writing, wait(deadlineMs, undefined, { ref: false })]);
    if (this.#waiting.length > 0) this.log.error('refusals were not recorded', { lost: this.#waiting.length });
  }

  #countRows(which: 'all' | 'ended'): void {
    for (const refusal of this.#counter.due(which)) this.#enqueue(refusal);
    const uncounted = this.#counter.takeDropped() + this.#lost;
    this.#lost = 0;
    if (uncounted > 0) this.#enqueue({ who: NOBODY, entry: { action: 'audit.refusals.more', detail: { uncounted } } });
  }

  #enqueue(refusal: Refusal): void {
    if (this.#waiting.length >= MOST_WAITING) this.#lost += 1;
    else this.#waiting.push(refusal);
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, WRITTEN_AT_ONCE);
      try {
        const texts = await Promise.all(
          batch.map(({ who, entry }) => this.#text(who, { ...entry, outcome: 'refused' })),
        );
        await this.source.query('SELECT count(audit_record(e)) FROM jsonb_array_elements($1::jsonb) AS e', [
          `[${texts.join(',')}]`,
        ]);
        this.#waiting.splice(0, batch.length);
      } catch (error) {
        if (this.#closing) return;
        if (!isDatabaseAway(error)) this.log.error('refusals are not recorded yet', { error: messageOf(error) });
        await wait(AGAIN_MS, undefined, { ref: false });
      }
    }
  }

  async #text(who: Refused, { action, target, outcome, detail }: AuditEntry, sql?: Sql): Promise<string> {
    return JSON.stringify({
      actor: who.subject === undefined ? null : await this.subjects.pseudonym(who.subject, sql),
      roles: (who.roles ?? []).slice(0, 20).map((role) => plain(role, LONGEST_TEXT)),
      via: who.via ?? null,
      certificate: who.certificate,
      action: plain(action, LONGEST_TEXT),
      target_type: target?.type ?? null,
      target_id: target ? plain(target.id, LONGEST_TEXT) : null,
      outcome,
      address: plain(who.address, LONGEST_TEXT),
      request_id: plain(who.requestId, LONGEST_TEXT),
      detail: masked(detail ?? {}),
    });
  }
}
