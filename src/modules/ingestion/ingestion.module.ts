import { Module } from '@nestjs/common';
import { DocumentsModule } from '../documents/documents.module.js';
import { ChunkSizing } from './chunk-sizes.js';
import { ChunkedUploadController } from './chunked-upload.controller.js';
import { ChunkedUploads } from './chunked-upload.service.js';
import { FileReading } from './file-reading.js';
import { FileSweeper } from './file-sweeper.js';
import { FileTypes } from './file-types.js';
import { FileWorkers } from './file-workers.js';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { IngestionBroadcaster } from './ingestion-broadcaster.js';
import { IngestionController } from './ingestion.controller.js';
import { IngestionMetrics } from './ingestion-metrics.js';
import { IngestionNews } from './ingestion-news.js';
import { IngestionQueue } from './ingestion-queue.store.js';
import { IngestionService } from './ingestion.service.js';
import { JobCreation } from './job-creation.js';
import { OriginalFiles } from './original-files.js';
import { ScanService } from './scan.service.js';
import { UploadController } from './upload.controller.js';
import { UploadService } from './upload.service.js';

@Module({
  imports: [DocumentsModule, RealtimeModule],
  controllers: [IngestionController, UploadController, ChunkedUploadController],
  providers: [
    ChunkSizing,
    ChunkedUploads,
    FileReading,
    FileSweeper,
    FileTypes,
    FileWorkers,
    IngestionBroadcaster,
    IngestionMetrics,
    IngestionNews,
    IngestionQueue,
    IngestionService,
    JobCreation,
    OriginalFiles,
    ScanService,
    UploadService,
  ],
})
export class IngestionModule {}
