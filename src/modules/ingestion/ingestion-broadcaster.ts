import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { isDatabaseAway, rowsOf } from '../../kernel/transaction.js';
import { mayRead, readerKeysOf } from '../documents/readers.port.js';
import { Broadcasts } from '../realtime/broadcasts.port.js';
import { isAdmin, type Principal } from '../security/principal.port.js';
import type { JobRow, ScanRow, UploadRow } from './ingestion.entity.js';
import { IngestionNews } from './ingestion-news.js';
import { jobView, uploadView } from './ingestion-views.js';
import { ScanService } from './scan.service.js';

export const INGESTION = 'ingestion';
const UPLOADS = 'uploads';

/** Tells dashboards how far jobs, scans and uploads are. */
@Injectable()
export class IngestionBroadcaster implements OnApplicationBootstrap, OnModuleDestroy {
  #off: (() => void)[] = [];

  constructor(
    private readonly source: DataSource,
    private readonly broadcasts: Broadcasts,
    private readonly news: IngestionNews,
    private readonly scans: ScanService,
    private readonly log: Log,
  ) {
    broadcasts.open(INGESTION, ['/ws/jobs', '/ingestion/ws'], 'datasets:read');
    broadcasts.open(UPLOADS, ['/ws/upload'], 'documents:create');
  }

  onApplicationBootstrap(): void {
    this.#off = [
      this.news.onJob((id) => this.#tell(INGESTION, id, () => this.#job(id))),
      this.news.onScan((id) => this.#tell(INGESTION, id, () => this.#scan(id))),
      this.news.onUpload((id) => this.#tell(UPLOADS, id, () => this.#upload(id))),
    ];
  }

  onModuleDestroy(): void {
    for (const off of this.#off) off();
  }

  /** Without an id it was only said that something may have been missed. */
  #tell(topic: string, id: string, read: () => Promise<void>): void {
    if (id === '' || this.broadcasts.listeners(topic) === 0) return;
    read().catch((error: unknown) => {
      if (!isDatabaseAway(error)) this.log.error('telling of the ingestion failed', { error: messageOf(error) });
    });
  }

  async #job(id: string): Promise<void> {
    const [job] = await rowsOf<JobRow>(this.source, 'SELECT * FROM ingestion_job WHERE job_id = $1', [id]);
    if (job) this.broadcasts.send(INGESTION, { type: 'job_update', ...jobView(job) }, mayHear(job));
  }

  async #scan(id: string): Promise<void> {
    const [scan] = await rowsOf<ScanRow>(this.source, 'SELECT * FROM ingestion_scan WHERE scan_id = $1', [id]);
    if (!scan) return;
    const view = await this.scans.view(scan);
    this.broadcasts.send(INGESTION, { type: 'directory_scan_update', ...view }, mayHear(scan));
    const { scan_job_id, files_found, bulk_copy_progress } = view;
    const progress = { scan_job_id, files_found, files_copied: bulk_copy_progress };
    this.broadcasts.send(INGESTION, { type: 'bulk_copy_progress', ...progress }, mayHear(scan));
  }

  async #upload(id: string): Promise<void> {
    const [upload] = await rowsOf<UploadRow>(this.source, 'SELECT * FROM ingestion_upload WHERE upload_id = $1', [id]);
    if (!upload) return;
    const isTheirs = (listener: Principal): boolean => isAdmin(listener) || listener.subject === upload.created_by;
    this.broadcasts.send(UPLOADS, { type: 'upload_progress', ...uploadView(upload) }, isTheirs);
  }
}

const mayHear =
  ({ readers, created_by }: { readers: string[]; created_by: string }) =>
  (listener: Principal): boolean =>
    mayRead(readerKeysOf(listener), [...readers, `owner:${created_by}`]);
