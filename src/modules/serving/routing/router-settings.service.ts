import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError, messageOf } from '../../../kernel/errors.js';
import { Log } from '../../../kernel/log.js';
import { inTransaction, rowsOf } from '../../../kernel/transaction.js';
import { Wakeups } from '../../../kernel/wakeups.js';
import { AuditTrail } from '../../audit/audit.port.js';
import type { Caller } from '../../security/principal.port.js';
import { AutoRouter } from './auto-router.js';
import { readRouterConfig, RouterConfigError, routerFields, type RouterConfig } from './router-config.js';

const CHANNEL = 'serving_router';

type RouterFields = ReturnType<typeof routerFields>;
/** What a change may say; sections and keys that are missing stay as they are. */
export type RouterChange = { [Section in keyof RouterFields]?: unknown };

/** The configuration of `auto` as somebody changed it: above the file, for every process on this database. */
@Injectable()
export class RouterSettings implements OnApplicationBootstrap, OnModuleDestroy {
  #stop: () => void = () => undefined;

  constructor(
    private readonly source: DataSource,
    private readonly wakeups: Wakeups,
    private readonly router: AutoRouter,
    private readonly audit: AuditTrail,
    private readonly log: Log,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.#stop = this.wakeups.on(CHANNEL, () => void this.#read());
    await this.#read();
  }

  onModuleDestroy(): void {
    this.#stop();
  }

  current(): RouterFields {
    return routerFields(this.router.config);
  }

  /** @throws AppError `invalid` naming every problem */
  async change(change: RouterChange, caller: Caller): Promise<RouterFields> {
    const config = merged(this.current(), change);
    const detail = { thresholds: config.thresholds, options: config.options };
    await inTransaction(this.source, async (sql) => {
      const values = [JSON.stringify(routerFields(config)), caller.subject];
      await sql.query(
        `INSERT INTO serving_router (config, changed_by) VALUES ($1, $2)
         ON CONFLICT (one) DO UPDATE SET config = EXCLUDED.config, changed_by = EXCLUDED.changed_by, changed_at = now()`,
        values,
      );
      await this.audit.record(sql, caller, { action: 'serving.router.configure', outcome: 'done', detail });
      await sql.query(`SELECT pg_notify('${CHANNEL}', '')`);
    });
    this.router.configure(config);
    return this.current();
  }

  async #read(): Promise<void> {
    try {
      const [row] = await rowsOf<{ config: unknown }>(this.source, 'SELECT config FROM serving_router');
      if (row) this.router.configure(readRouterConfig(JSON.stringify(row.config)));
    } catch (error) {
      this.log.error('the stored router configuration cannot be read; the one before holds', {
        error: messageOf(error),
      });
    }
  }
}

const isSection = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function merged(current: RouterFields, change: RouterChange): RouterConfig {
  const sections = Object.entries(change)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => [
      name,
      isSection(value) ? Object.assign({}, current[name as keyof RouterFields], value) : value,
    ]);
  try {
    return readRouterConfig(JSON.stringify({ ...current, ...(Object.fromEntries(sections) as object) }));
  } catch (error) {
    if (!(error instanceof RouterConfigError)) throw error;
    const problems = error.message.split('\n').map((message) => ({ path: message.split(':', 1)[0] ?? '', message }));
    throw new AppError('invalid', problems.map(({ message }) => message).join('; '), problems);
  }
}
