import { randomUUID } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { BackgroundLoop } from '../../kernel/background-loop.js';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { isDatabaseAway } from '../../kernel/transaction.js';
import { SettledDocuments } from '../documents/settled-documents.port.js';
import { UnreadableFile } from '../documents/document-parser.port.js';
import { FileReading } from './file-reading.js';
import type { FileRow } from './ingestion.entity.js';
import { IngestionMetrics } from './ingestion-metrics.js';
import { IngestionNews } from './ingestion-news.js';
import { IngestionQueue, MOST_ATTEMPTS, MOST_CRASHES } from './ingestion-queue.store.js';

const TICK_MS = 1000;
const RENEW_MS = 10_000;
/** Wait before a file is tried again whose reading failed for no fault of its own. */
const RETRY_SECONDS = 5;

/** Reads the files that wait, a few at a time, and closes those whose stores have answered. */
@Injectable()
export class FileWorkers implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #loops: BackgroundLoop[];
  readonly #settling: BackgroundLoop;
  #off: (() => void)[] = [];

  constructor(
    private readonly queue: IngestionQueue,
    private readonly reading: FileReading,
    private readonly news: IngestionNews,
    private readonly settled: SettledDocuments,
    private readonly metrics: IngestionMetrics,
    settings: Settings,
    private readonly log: Log,
  ) {
    this.#loops = Array.from(
      { length: settings.ingestion.workers },
      (_, index) => new BackgroundLoop(`ingestion ${index + 1}`, TICK_MS, (signal) => this.#round(signal), log),
    );
    this.#settling = new BackgroundLoop('ingestion settling', TICK_MS, () => this.#settle(), log);
  }

  onApplicationBootstrap(): void {
    const ring = (): void => this.#loops.forEach((loop) => loop.ring());
    this.#off = [this.news.onFiles(ring), this.settled.onSettled(() => this.#settling.ring())];
    for (const loop of [...this.#loops, this.#settling]) loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    for (const off of this.#off) off();
    await Promise.all([...this.#loops, this.#settling].map((loop) => loop.stop()));
  }

  /** One file; true where there was one. */
  async #round(stopping: AbortSignal): Promise<boolean> {
    const owner = randomUUID();
    const file = await this.queue.claim(owner);
    if (!file) return false;
    if (file.crashes >= MOST_CRASHES) await this.queue.blocked(file, owner);
    else await this.#work(file, owner, stopping);
    return true;
  }

  async #work(file: FileRow, owner: string, stopping: AbortSignal): Promise<void> {
    const lost = new AbortController();
    const renewal = setInterval(() => void this.#renew(file, owner, lost), RENEW_MS);
    const signal = AbortSignal.any([stopping, lost.signal]);
    try {
      await this.#read(file, owner, signal);
    } catch (error) {
      await this.#failed(file, owner, error, signal);
    } finally {
      clearInterval(renewal);
    }
  }

  async #read(file: FileRow, owner: string, signal: AbortSignal): Promise<void> {
    const job = await this.queue.jobOf(file);
    if (!job) return;
    const result = await this.reading.read(file, job, signal, ({ done, of }) => {
      this.queue
        .progress(file, owner, `OCR: ${done} of ${of} pages`)
        .catch((error: unknown) => this.#unsaid(file, error));
    });
    if (result.kind === 'unpacked') {
      await this.queue.unpacked(file, owner, result.entries);
      await this.reading.discard(file);
    } else {
      await this.queue.published(file, owner, result.published);
      this.metrics.published(result.published);
      this.#settling.ring();
    }
    for (const loop of this.#loops) loop.ring();
  }

  async #failed(file: FileRow, owner: string, error: unknown, signal: AbortSignal): Promise<void> {
    if (error instanceof UnreadableFile) {
      this.metrics.failed(error.reason);
      return this.queue.failed(file, owner, error);
    }
    if (signal.aborted) return this.queue.putBack(file, owner);
    if (!isDatabaseAway(error))
      this.log.error('reading a file failed', { file: file.file_id, job: file.job_id, error: messageOf(error) });
    if (isDatabaseAway(error) || file.attempts < MOST_ATTEMPTS) return this.queue.later(file, owner, RETRY_SECONDS);
    const message = 'reading it failed for a reason that lies here; the log has the details';
    return this.queue.failed(file, owner, { reason: 'internal', message });
  }

  /** A dashboard that shows an older page is no reason to end the reading. */
  #unsaid(file: FileRow, error: unknown): void {
    if (!isDatabaseAway(error))
      this.log.warn('telling how far a file is failed', { file: file.file_id, error: messageOf(error) });
  }

  async #renew(file: FileRow, owner: string, lost: AbortController): Promise<void> {
    const isOurs = await this.queue.renew(file.file_id, owner).catch(() => true);
    if (!isOurs) lost.abort();
  }

  async #settle(): Promise<boolean> {
    return (await this.queue.settleIndexed()) > 0;
  }
}
