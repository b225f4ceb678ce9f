import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Settings } from '../../config/settings.js';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { inTransaction, isDatabaseAway, rowsOf } from '../../kernel/transaction.js';

const EVERY_MS = 3_600_000;
const FIRST_AFTER_MS = 60_000;
const KEPT_PROGRESS = 1000;
const DELETED_AT_ONCE = 10_000;
/** Followers of a job have an hour to read all of its progress before it is thinned. */
const THINNED_AFTER_SECONDS = 3600;

/** Every n-th progress event of a long ended job stays, n so that about 1,000 are left; first and last always do. */
const THIN = `
DELETE FROM training_job_events AS e USING (
  SELECT number, row_number() OVER (ORDER BY number) AS place, count(*) OVER () AS many
    FROM training_job_events WHERE job_id = $1 AND type = 'progress') AS p
  WHERE e.job_id = $1 AND e.number = p.number AND p.many > $2
    AND p.place <> 1 AND p.place <> p.many AND p.place % ceil(p.many::numeric / $2) <> 0`;

/** Keeps the event log within its bounds: DESIGN section 5, "Retention". */
@Injectable()
export class RetentionService implements OnApplicationBootstrap, OnApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly source: DataSource,
    private readonly settings: Settings,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.#schedule(FIRST_AFTER_MS);
  }

  onApplicationShutdown(): void {
    clearTimeout(this.#timer);
  }

  /** One round: thins the progress of ended jobs, and removes what is older than CLARA_EVENTS_DAYS. */
  async sweep(): Promise<{ thinned: number; removed: number }> {
    const thinned = await this.#thin();
    let removed = 0;
    for (let batch = DELETED_AT_ONCE; batch === DELETED_AT_ONCE; removed += batch) batch = await this.#removeOld();
    await this.source.query(
      `DELETE FROM training_idempotency_keys WHERE created_at < now() - make_interval(days => $1)`,
      [this.settings.training.eventsDays],
    );
    return { thinned, removed };
  }

  async #thin(): Promise<number> {
    const long = await rowsOf<{ job_id: string }>(
      this.source,
      `SELECT job_id FROM training_jobs j WHERE status IN ('completed', 'failed', 'cancelled') AND last_event > $1
        AND completed_at < now() - make_interval(secs => $2)
        AND (SELECT count(*) FROM training_job_events e WHERE e.job_id = j.job_id AND type = 'progress') > $1 + 2`,
      [KEPT_PROGRESS, THINNED_AFTER_SECONDS],
    );
    for (const { job_id } of long) await this.source.query(THIN, [job_id, KEPT_PROGRESS]);
    return long.length;
  }

  /** What is removed moves the oldest stored number up, so that a follower from before is told of its gap. */
  async #removeOld(): Promise<number> {
    return inTransaction(this.source, async (sql) => {
      const gone = await rowsOf<{ stream: number | null }>(
        sql,
        `DELETE FROM training_job_events WHERE (job_id, number) IN (
            SELECT e.job_id, e.number FROM training_job_events e JOIN training_jobs j USING (job_id)
              WHERE j.completed_at < now() - make_interval(days => $1) AND j.status IN ('completed', 'failed', 'cancelled')
              LIMIT $2)
          RETURNING stream`,
        [this.settings.training.eventsDays, DELETED_AT_ONCE],
      );
      const newestGone = gone.reduce((most, row) => Math.max(most, row.stream ?? 0), 0);
      await sql.query('UPDATE training_event_head SET oldest = greatest(oldest, $1) WHERE id = 1', [newestGone + 1]);
      return gone.length;
    });
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(() => {
      void this.sweep()
        .catch((error: unknown) => {
          if (!isDatabaseAway(error)) this.log.error('the retention sweep failed', { error: messageOf(error) });
        })
        .finally(() => this.#schedule(EVERY_MS));
    }, ms);
    this.#timer.unref();
  }
}
