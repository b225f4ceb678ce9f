import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { API_VERSION } from '../../kernel/api-version.js';
import type { ServiceName } from '../../kernel/service-port.js';
import { DatasetTotals } from '../dataset/dataset-totals.port.js';
import { DocumentsStatus } from '../documents/documents-status.port.js';
import { TrainingStatus } from '../training/training-status.port.js';
import type { HealthDto } from './health.dto.js';

/** What the health of a service says besides that it is well, as the original has it. */
@Injectable()
export class HealthFacts {
  constructor(
    private readonly settings: Settings,
    private readonly jobs: TrainingStatus,
    private readonly documents: DocumentsStatus,
    private readonly datasets: DatasetTotals,
  ) {}

  /** Asks the database whatever the service is, so that health is known to be health. */
  async of(service: ServiceName): Promise<Partial<HealthDto>> {
    const active = await this.jobs.activeCount();
    if (service === 'training')
      return { active_jobs: active, max_concurrent_jobs: this.settings.training.maxConcurrentJobs };
    if (service === 'dataset') return this.#dataset();
    return service === 'pki' ? { version: API_VERSION } : {};
  }

  async #dataset(): Promise<Partial<HealthDto>> {
    const [lags, count] = await Promise.all([this.documents.lags(), this.datasets.count()]);
    return { uds3_available: lags.every(({ reason }) => reason === null), datasets_count: count };
  }
}
