import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { BackgroundLoop } from '../../kernel/background-loop.js';
import { Clock } from '../../kernel/clock.js';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { isDatabaseAway, type Sql } from '../../kernel/transaction.js';
import { AuditTrail } from '../audit/audit.port.js';
import { VersionBuild, type BuildTools } from './build/version-build.js';
import { BuildQueueStore, type Claim, type Claimant } from './build-queue.store.js';
import { DataFolder } from '../../config/data-folder.js';
import { BuildSources } from './build-sources.js';
import { BuildFailure } from './sources/candidate.js';
import { restored } from '../security/principal.port.js';
import type { VersionSource } from './dataset-record.js';

const BUILDERS = 2;
const IDLE_MS = 1000;
const RENEW_MS = 1000;
const LEASE_SECONDS = 30;
const MOST_ATTEMPTS = 3;
/** What a shutdown waits for a build to notice. */
const STOP_MS = 5000;

class Stopped extends Error {}
class Cancelled extends Error {}
class Lost extends Error {}
class TimedOut extends Error {}

/** Claims versions that wait and builds them; whatever kills it, the next round begins the build again. */
@Injectable()
export class BuilderService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #owner = randomUUID();
  readonly #stop = new AbortController();
  readonly #loops: BackgroundLoop[];

  constructor(
    private readonly queue: BuildQueueStore,
    private readonly sources: BuildSources,
    private readonly place: DataFolder,
    private readonly settings: Settings,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.#loops = Array.from(
      { length: BUILDERS },
      (_, index) => new BackgroundLoop(`dataset builder ${index + 1}`, IDLE_MS, () => this.buildNext(), log),
    );
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.queue.freePlace(await this.place.id());
    for (const loop of this.#loops) loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stop.abort(new Stopped());
    const enough = new AbortController();
    const stopped = Promise.all(this.#loops.map((loop) => loop.stop()));
    await Promise.race([stopped, this.clock.sleep(STOP_MS, enough.signal)]);
    enough.abort();
  }

  /** Something waits to be built. */
  wake(): void {
    for (const loop of this.#loops) loop.ring();
  }

  /** Builds the next version that waits. @returns false: none does */
  async buildNext(): Promise<boolean> {
    const by = { owner: this.#owner, place: await this.place.id(), leaseSeconds: LEASE_SECONDS };
    const claim = await this.queue.claim(by, randomUUID());
    if (claim) await this.#build(claim, by);
    return claim !== undefined;
  }

  async #build(claim: Claim, by: Claimant): Promise<void> {
    const end = new AbortController();
    const deadline = setTimeout(() => end.abort(new TimedOut()), this.settings.datasets.buildSeconds * 1000);
    deadline.unref();
    const signal = AbortSignal.any([end.signal, this.#stop.signal]);
    const build = new VersionBuild(claim, this.#tools(), signal);
    const renewing = this.#renew(claim, by, { build, end });
    try {
      await this.#run(claim, build, signal);
    } finally {
      clearTimeout(deadline);
      end.abort();
      await renewing;
    }
  }

  async #run(claim: Claim, build: VersionBuild, signal: AbortSignal): Promise<void> {
    try {
      if (claim.attempt > MOST_ATTEMPTS)
        throw new BuildFailure(`the build ended ${MOST_ATTEMPTS} times before it was done; the log may say why`);
      const built = await build.run();
      const audit = (sql: Sql) => this.#record(sql, claim, 'done', { rows: built.rows, sha256: built.contentHash });
      const isOurs = await this.queue.complete(claim, built, () => build.publish(), audit);
      if (isOurs) await Promise.all([this.#forget(claim.source), build.forget()]);
      else await build.discard();
    } catch (error) {
      await build.discard().catch(() => undefined);
      await this.#end(claim, signal.aborted ? signal.reason : error);
    }
  }

  /** What came of a build that did not come to its end. */
  async #end(claim: Claim, reason: unknown): Promise<void> {
    if (reason instanceof Lost) return;
    if (reason instanceof Stopped || isDatabaseAway(reason)) {
      await this.queue.release(claim).catch(() => undefined);
      return;
    }
    const message = this.#messageOf(reason, claim);
    await this.queue.fail(claim, message, (sql) =>
      this.#record(sql, claim, 'failed', { reason: message.slice(0, 200) }),
    );
    await this.#forget(claim.source);
  }

  #messageOf(reason: unknown, claim: Claim): string {
    if (reason instanceof BuildFailure) return reason.message;
    if (reason instanceof Cancelled) return 'the build was cancelled';
    if (reason instanceof TimedOut)
      return `the build took longer than ${this.settings.datasets.buildSeconds / 60} minutes (CLARA_DATASET_BUILD_MINUTES); narrow the source`;
    const { dataset_id: dataset, number: version } = claim;
    this.log.error('a dataset could not be built', { dataset, version, error: messageOf(reason) });
    return 'something went wrong here while it was built; the log has the details. Try a new version';
  }

  async #renew(
    claim: Claim,
    by: Claimant,
    { build, end }: { build: VersionBuild; end: AbortController },
  ): Promise<void> {
    while (!end.signal.aborted && !this.#stop.signal.aborted) {
      await this.clock.sleep(RENEW_MS, AbortSignal.any([end.signal, this.#stop.signal]));
      if (end.signal.aborted || this.#stop.signal.aborted) return;
      const held = await this.queue.renew(claim, by, build.progress).catch(() => true as const);
      if (held === 'cancelled') end.abort(new Cancelled());
      if (held === false) end.abort(new Lost());
    }
  }

  #record(sql: Sql, claim: Claim, outcome: 'done' | 'failed', detail: Record<string, unknown>): Promise<void> {
    const target = { type: 'dataset', id: claim.dataset_id };
    const entry = { action: 'dataset.version.build', target, outcome, detail: { version: claim.number, ...detail } };
    return this.audit.record(sql, restored(claim.caller), entry);
  }

  /** A file that was taken in for the version has done its service. */
  async #forget(source: VersionSource): Promise<void> {
    if (source.kind === 'file' && source.own) await rm(source.path, { force: true }).catch(() => undefined);
  }

  #tools(): BuildTools {
    const { search, documents, quality, writer } = this.sources;
    const { queue, settings } = this;
    return {
      search,
      documents,
      quality,
      queue,
      dataFolder: settings.folders.data,
      maxRows: settings.datasets.maxRows,
      writer,
      writing: settings.writer,
    };
  }
}
