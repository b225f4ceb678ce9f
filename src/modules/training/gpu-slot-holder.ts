import { randomUUID } from 'node:crypto';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { inTransaction, isDatabaseAway, rowsOf } from '../../kernel/transaction.js';
import { GpuSlots, type HeldGpus } from './gpu-slots.port.js';
import { Host } from './host.js';
import { JobNews } from './job-news.js';
import { lockHost } from './slot-table.js';
import { chooseSlot } from './slots.js';

const LEASE_SECONDS = 30;
const RENEW_MS = 5000;
/** What a job asked for is its own to take for so long. */
const JOBS_FIRST_MS = 5000;

interface Holding {
  askedBack: () => void;
  timer: NodeJS.Timeout;
  isAsked: boolean;
}

/** Slots that this application holds for something other than a job, renewed until they are given back. */
@Injectable()
export class GpuSlotHolder extends GpuSlots implements OnApplicationShutdown {
  readonly #holdings = new Map<string, Holding>();
  #areJobsFirst = false;
  readonly #off: () => void;
  /** Engines have the same names in every application, also in two of one host. */
  readonly #application = randomUUID();

  constructor(
    private readonly source: DataSource,
    private readonly host: Host,
    private readonly news: JobNews,
    private readonly log: Log,
  ) {
    super();
    this.#off = news.onQueueChange(() => {
      for (const holder of this.#holdings.keys()) void this.#renew(holder);
    });
  }

  async take(holder: string, gpus: number, askedBack: () => void): Promise<HeldGpus | undefined> {
    if (this.#areJobsFirst) return undefined;
    const { hostId } = this.host;
    const choice = await inTransaction(this.source, async (sql) => {
      const { host, taken } = await lockHost(sql, hostId);
      const chosen = chooseSlot(host, taken, gpus);
      if ('waitingFor' in chosen) return undefined;
      await sql.query('DELETE FROM training_slot_holders WHERE host_id = $1 AND lease_until <= now()', [hostId]);
      await sql.query(
        `INSERT INTO training_slot_holders (host_id, holder, slot, gpu_indices, lease_until)
          VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))
          ON CONFLICT (host_id, holder) DO UPDATE SET slot = $3, gpu_indices = $4, asked_back_at = NULL,
            lease_until = excluded.lease_until`,
        [hostId, this.#row(holder), chosen.slot, chosen.gpus, LEASE_SECONDS],
      );
      return chosen;
    });
    if (!choice) return undefined;
    const timer = setInterval(() => void this.#renew(holder), RENEW_MS).unref();
    this.#holdings.set(holder, { askedBack, timer, isAsked: false });
    return { gpus: choice.gpus, release: () => this.#release(holder) };
  }

  async onApplicationShutdown(): Promise<void> {
    this.#off();
    await Promise.all([...this.#holdings.keys()].map((holder) => this.#release(holder).catch(() => undefined)));
  }

  async #renew(holder: string): Promise<void> {
    const holding = this.#holdings.get(holder);
    if (!holding) return;
    try {
      const [row] = await rowsOf<{ asked_back_at: Date | null }>(
        this.source,
        `UPDATE training_slot_holders SET lease_until = now() + make_interval(secs => $3)
          WHERE host_id = $1 AND holder = $2 RETURNING asked_back_at`,
        [this.host.hostId, this.#row(holder), LEASE_SECONDS],
      );
      // Without a row the lease has run out, and others may have what it was for.
      const isLost = row === undefined || row.asked_back_at !== null;
      if (!isLost || holding.isAsked || this.#holdings.get(holder) !== holding) return;
      holding.isAsked = true;
      holding.askedBack();
    } catch (error) {
      if (!isDatabaseAway(error)) this.log.warn('a slot was not renewed', { holder, error: messageOf(error) });
    }
  }

  #row(holder: string): string {
    return `${holder}@${this.#application}`;
  }

  #jobsFirst(): void {
    this.#areJobsFirst = true;
    setTimeout(() => (this.#areJobsFirst = false), JOBS_FIRST_MS).unref();
  }

  async #release(holder: string): Promise<void> {
    const holding = this.#holdings.get(holder);
    if (!holding) return;
    clearInterval(holding.timer);
    this.#holdings.delete(holder);
    if (holding.isAsked) this.#jobsFirst();
    await this.source.query('DELETE FROM training_slot_holders WHERE host_id = $1 AND holder = $2', [
      this.host.hostId,
      this.#row(holder),
    ]);
    this.news.queueChanged();
  }
}
