import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';
import { securityWarnings } from '../../config/security-warnings.js';
import { Settings } from '../../config/settings.js';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { isDatabaseAway } from '../../kernel/transaction.js';
import { Wakeups } from '../../kernel/wakeups.js';
import { AuditKeeping, type AuditParts } from './audit-parts.js';
import { AuditStatus } from './audit-status.port.js';

const LINK_EVERY_MS = 500;
const EXPIRE_EVERY_MS = 3_600_000;
const FLUSH_MS = 2000;
const LATE_SECONDS = 10;

/** Keeps the trail while the application runs: links, signs, expires, and says where it falls behind. */
@Injectable()
export class AuditKeeper extends AuditStatus implements OnApplicationBootstrap, OnApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #stopping = false;
  #late = 0;
  #headAt = 0;
  #expireAt = 0;
  #endListening: () => void = () => undefined;

  constructor(
    private readonly keeping: AuditKeeping,
    private readonly settings: Settings,
    private readonly log: Log,
    private readonly wakeups: Wakeups,
    private readonly registry: Registry,
  ) {
    super();
  }

  async onApplicationBootstrap(): Promise<void> {
    const { parts } = this.keeping;
    if (!parts) return;
    this.#addGauge(parts);
    this.#endListening = this.wakeups.on('audit_forgotten', () => parts.subjects.forgetRemembered());
    await this.#recordStart(parts);
    this.#schedule(parts, 0);
  }

  async #recordStart({ trail }: AuditParts): Promise<void> {
    const { security, tls, root } = this.settings;
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    await trail.own('application.start', {
      version,
      mode: security.mode,
      node: process.version,
      mutual_tls: tls.mutual,
    });
    for (const warning of securityWarnings(this.settings)) await trail.own('application.warning', { warning });
  }

  async onApplicationShutdown(): Promise<void> {
    const { parts } = this.keeping;
    if (!parts) return;
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#endListening();
    await parts.trail.close(FLUSH_MS);
    await this.#round;
    try {
      await parts.trail.own('application.stop', { mode: this.settings.security.mode });
      await parts.chainer.link();
      await parts.chainer.signHead();
    } catch (error) {
      this.log.error('the end of the audit trail is not signed; the next start does it', { error: messageOf(error) });
    }
  }

  status(): { kept: boolean; ready: boolean; unlinked_seconds: number } {
    return { kept: this.keeping.parts !== null, ready: this.#late < LATE_SECONDS, unlinked_seconds: this.#late };
  }

  #schedule(parts: AuditParts, ms: number): void {
    if (this.#stopping) return;
    this.#timer = setTimeout(() => {
      this.#round = this.#tick(parts)
        .catch((error: unknown) => {
          if (!isDatabaseAway(error)) this.log.error('the audit chain stands still', { error: messageOf(error) });
        })
        .finally(() => this.#schedule(parts, LINK_EVERY_MS));
    }, ms).unref();
  }

  async #tick({ chainer }: AuditParts): Promise<void> {
    const now = Date.now();
    await this.#link(chainer);
    if (now >= this.#headAt) {
      await chainer.signHead();
      this.#headAt = now + this.settings.audit.headSeconds * 1000;
    }
    if (now < this.#expireAt) return;
    this.#expireAt = now + EXPIRE_EVERY_MS;
    const removed = await chainer.expire(this.settings.audit.days);
    if (removed > 0) this.log.info('old audit rows were removed behind a signed checkpoint', { removed });
  }

  /** The age of what waits is looked at first: where linking fails it is known, and where nothing waits that was all. */
  async #link(chainer: AuditParts['chainer']): Promise<void> {
    const before = this.#late;
    const waiting = await chainer.unlinkedSeconds();
    this.#late = waiting ?? 0;
    if (this.#late >= LATE_SECONDS && before < LATE_SECONDS)
      this.log.error('audit rows wait to be linked into the chain', { seconds: this.#late });
    if (waiting !== undefined) await chainer.link();
  }

  #addGauge({ chainer }: AuditParts): void {
    new Gauge({
      name: 'audit_unlinked_seconds',
      help: 'Age of the oldest audit row that the chain does not hold yet.',
      registers: [this.registry],
      async collect() {
        this.set((await chainer.unlinkedSeconds()) ?? 0);
      },
    });
  }
}
