import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BackgroundLoop } from '../../kernel/background-loop.js';
import { Clock } from '../../kernel/clock.js';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { inTransaction, rowsOf } from '../../kernel/transaction.js';
import { DocumentDatabase } from './document.store.js';
import { DocumentNews } from './document-news.js';
import { EmbedderUnavailable } from './embedder.port.js';
import { StoreUnavailable } from './replica.port.js';
import type { StoreTarget } from './store-target.js';
import { StoreTargets } from './store-targets.js';
import { VectorSpaces } from './vector-spaces.js';

interface Due {
  document_id: string;
  wanted: number;
  attempts: number;
  /** Carried, or put off by itself. */
  isDone?: boolean;
}

const AT_ONCE = 16;
const TICK_MS = 1000;
/** A claimed row is another's again after this long without a sign of life. */
const LEASE_SECONDS = 30;
const RENEW_MS = 10_000;
const LONGEST_BACKOFF_SECONDS = 300;
/** How often a store that is down is asked again. */
const DOWN_RETRY_MS = 5000;

const isDown = (error: unknown): boolean => error instanceof StoreUnavailable || error instanceof EmbedderUnavailable;

/** Carries the documents to every store: a store that is down delays, and never loses. */
@Injectable()
export class StoreSync implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #loops: BackgroundLoop[];
  /** Stores that were down when last asked, by key. */
  readonly #down = new Map<string, { until: number; reason: string }>();
  #off: () => void = () => undefined;

  constructor(
    private readonly source: DataSource,
    private readonly documents: DocumentDatabase,
    private readonly targets: StoreTargets,
    private readonly spaces: VectorSpaces,
    private readonly news: DocumentNews,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.#loops = targets.all.map(
      (target) => new BackgroundLoop(`sync ${target.key}`, TICK_MS, (signal) => this.#round(target, signal), log),
    );
  }

  async onApplicationBootstrap(): Promise<void> {
    // Before anything is served: what a new store has yet to get is never told to be there.
    await inTransaction(this.source, (sql) => this.targets.follow(sql));
    this.#off = this.news.on('changed', () => this.#loops.forEach((loop) => loop.ring()));
    for (const loop of this.#loops) loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.#off();
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }

  /** One batch of what is due; true where more may be. */
  async #round(target: StoreTarget, signal: AbortSignal): Promise<boolean> {
    const down = this.#down.get(target.key);
    if (down && this.clock.now() < down.until) return this.#tell(target, down.reason);
    const due = await this.#claim(target);
    const renewal = setInterval(() => void this.#renew(target, due).catch(() => undefined), RENEW_MS);
    try {
      for (const row of due) if (signal.aborted || !(await this.#carry(target, row, signal))) break;
    } finally {
      clearInterval(renewal);
      await this.#release(target, due);
    }
    if (due.length === 0 && target.key.startsWith('vectors:')) await this.#completeSpace(target);
    return due.length === AT_ONCE && !this.#down.has(target.key);
  }

  #claim({ key }: StoreTarget): Promise<Due[]> {
    return rowsOf<Due>(
      this.source,
      `UPDATE documents_replica SET next_at = now() + make_interval(secs => ${LEASE_SECONDS})
        WHERE (store, document_id) IN (
          SELECT store, document_id FROM documents_replica
            WHERE store = $1 AND wanted > applied AND next_at <= now() ORDER BY next_at LIMIT ${AT_ONCE}
            FOR UPDATE SKIP LOCKED)
        RETURNING document_id, wanted, attempts`,
      [key],
    );
  }

  /** False where the store is down: then the others wait too. */
  async #carry(target: StoreTarget, row: Due, signal: AbortSignal): Promise<boolean> {
    try {
      const document = await this.documents.stored(row.document_id);
      if (document) await target.apply(document, signal);
      else await target.remove(row.document_id);
      await this.#applied(target, row, document === null);
      row.isDone = true;
      this.#down.delete(target.key);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (!isDown(error)) {
        await this.#failed(target, row, error);
        row.isDone = true;
        return true;
      }
      await this.#markDown(target, error);
      return false;
    } finally {
      this.news.settled(row.document_id);
    }
  }

  async #applied({ key }: StoreTarget, { document_id, wanted }: Due, isGone: boolean): Promise<void> {
    const values = [key, document_id, wanted];
    if (isGone)
      await this.source.query(
        'DELETE FROM documents_replica WHERE store = $1 AND document_id = $2 AND wanted = $3',
        values,
      );
    await this.source.query(
      `UPDATE documents_replica SET applied = greatest(applied, $3), attempts = 0, error = NULL, next_at = now()
        WHERE store = $1 AND document_id = $2`,
      values,
    );
  }

  /** One document that a store cannot take: the others go on. */
  async #failed({ key }: StoreTarget, { document_id, attempts }: Due, error: unknown): Promise<void> {
    const seconds = Math.min(LONGEST_BACKOFF_SECONDS, 2 ** Math.min(attempts, 10));
    this.log.error('a store does not take a document', { store: key, document: document_id, error: messageOf(error) });
    await this.source.query(
      `UPDATE documents_replica SET attempts = attempts + 1, error = $3, next_at = now() + make_interval(secs => $4)
        WHERE store = $1 AND document_id = $2`,
      [key, document_id, messageOf(error).slice(0, 500), seconds],
    );
  }

  async #markDown(target: StoreTarget, error: unknown): Promise<void> {
    const reason = messageOf(error).slice(0, 500);
    if (this.#down.get(target.key)?.reason !== reason)
      this.log.warn('a store is down; what waits for it is kept', { store: target.key, reason });
    this.#down.set(target.key, { until: this.clock.now() + DOWN_RETRY_MS, reason });
    await this.#tell(target, reason);
  }

  /** All that waits for a store that is down says why; whoever waited for it need not any more. */
  async #tell({ key }: StoreTarget, reason: string): Promise<false> {
    const rows = await rowsOf<{ document_id: string }>(
      this.source,
      `UPDATE documents_replica SET error = $2 WHERE store = $1 AND wanted > applied AND error IS NULL RETURNING document_id`,
      [key, reason],
    );
    for (const { document_id } of rows) this.news.settled(document_id);
    return false;
  }

  async #renew({ key }: StoreTarget, due: Due[]): Promise<void> {
    await this.source.query(
      `UPDATE documents_replica SET next_at = now() + make_interval(secs => ${LEASE_SECONDS})
        WHERE store = $1 AND document_id = ANY ($2::uuid[]) AND wanted > applied AND next_at > now()`,
      [key, due.filter((row) => !row.isDone).map(({ document_id }) => document_id)],
    );
  }

  /** What was claimed and not carried is due again at once. */
  async #release({ key }: StoreTarget, due: Due[]): Promise<void> {
    const left = due.filter((row) => !row.isDone).map(({ document_id }) => document_id);
    if (left.length === 0) return;
    await this.source.query(
      'UPDATE documents_replica SET next_at = now() WHERE store = $1 AND document_id = ANY ($2::uuid[]) AND wanted > applied',
      [key, left],
    );
  }

  async #completeSpace({ key }: StoreTarget): Promise<void> {
    const [row] = await rowsOf(
      this.source,
      'SELECT 1 FROM documents_replica WHERE store = $1 AND wanted > applied LIMIT 1',
      [key],
    );
    if (!row) await this.spaces.complete();
  }
}
