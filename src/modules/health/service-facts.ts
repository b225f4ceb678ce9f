import { cpus } from 'node:os';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { API_VERSION } from '../../kernel/api-version.js';
import type { ServiceName } from '../../kernel/service-port.js';
import { DatasetCount } from '../dataset/dataset-count.port.js';
import { DocumentsStatus, type StoreLag } from '../documents/documents-status.port.js';
import { TrainingStatus } from '../training/training-status.port.js';
import { ServingStatus } from '../serving/serving-status.port.js';
import type { HealthDto } from './health.dto.js';

type Facts = Partial<HealthDto>;

/** The original's names of the stores. */
const COMPONENTS: Readonly<Record<string, string>> = {
  vectors: 'vector_db',
  graph: 'graph_db',
  documents: 'document_db',
};

/** What each service of the original says of itself on its health page. */
@Injectable()
export class ServiceFacts {
  constructor(
    private readonly settings: Settings,
    private readonly jobs: TrainingStatus,
    private readonly documents: DocumentsStatus,
    private readonly datasets: DatasetCount,
    private readonly serving: ServingStatus,
  ) {}

  async of(service: ServiceName): Promise<Facts> {
    switch (service) {
      case 'training':
        return {
          active_jobs: await this.jobs.activeCount(),
          max_concurrent_jobs: this.settings.training.maxConcurrentJobs,
        };
      case 'ingestion':
        return this.#ingestion(await this.documents.lags());
      case 'dataset':
        return {
          uds3_available: (await this.documents.lags()).some(({ reason }) => reason === null),
          datasets_count: await this.datasets.total(),
        };
      case 'pki':
        await this.jobs.activeCount();
        return { version: API_VERSION };
      case 'serving': {
        await this.jobs.activeCount();
        const { engine, replicas, adapters } = this.serving.now();
        return { engine, replicas_up: replicas.up, replicas_total: replicas.total, adapters_loaded: adapters };
      }
      case 'main':
      case 'metrics':
        // Asks the database: without it nothing is healthy.
        await this.jobs.activeCount();
        return {};
    }
  }

  #ingestion(lags: StoreLag[]): Facts {
    const stores = lags.map(({ store, pending, reason }) => [
      COMPONENTS[store.split(':', 1)[0] ?? ''] ?? store,
      reason === null ? 'up' : `down, ${pending} documents wait: ${reason}`,
    ]);
    const { workers } = this.settings.ingestion;
    return {
      components: { uds3: 'up', relational_db: 'up', ...Object.fromEntries(stores) },
      worker_pool: { io_workers: workers, cpu_workers: this.settings.parser.workers, total_cpus: cpus().length },
      hardening: null,
    };
  }
}
