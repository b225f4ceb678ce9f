import { Injectable } from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import { DocumentsStatus, type StoreLag } from './documents-status.port.js';
import { StoreTargets } from './store-targets.js';

/** Reads how far the stores are, for health pages and for Prometheus. */
@Injectable()
export class StoreLags extends DocumentsStatus {
  constructor(
    private readonly source: DataSource,
    private readonly targets: StoreTargets,
    registry: Registry,
  ) {
    super();
    const lags = (): Promise<StoreLag[]> => this.lags().catch(() => []);
    const pending = new Gauge({
      name: 'documents_store_pending',
      help: 'Documents that wait for a store.',
      labelNames: ['store'],
      registers: [registry],
      async collect() {
        for (const lag of await lags()) this.set({ store: lag.store }, lag.pending);
      },
    });
    for (const { key } of targets.all) pending.set({ store: key }, 0);
  }

  async lags(): Promise<StoreLag[]> {
    const rows = await rowsOf<StoreLag>(
      this.source,
      `SELECT store, count(*)::int AS pending, max(error) AS reason FROM documents_replica
        WHERE wanted > applied GROUP BY store`,
    );
    return this.targets.all.map(
      ({ key }) => rows.find(({ store }) => store === key) ?? { store: key, pending: 0, reason: null },
    );
  }

  async documents(): Promise<number> {
    const [row] = await rowsOf<{ documents: number }>(
      this.source,
      'SELECT count(*)::int AS documents FROM documents_document',
    );
    return row?.documents ?? 0;
  }
}
