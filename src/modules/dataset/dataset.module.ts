import { Module } from '@nestjs/common';
import { DocumentsModule } from '../documents/documents.module.js';
import { SearchModule } from '../search/search.module.js';
import { TrainingModule } from '../training/training.module.js';
import { BuildQueueStore } from './build-queue.store.js';
import { BuildSources } from './build-sources.js';
import { BuilderService } from './builder.service.js';
import { CheckedQuality } from './checked-quality.js';
import { DataFolder } from '../../config/data-folder.js';
import { DatasetChangesStore } from './dataset-changes.store.js';
import { DatasetCreation } from './dataset-creation.service.js';
import { DatasetExports } from './dataset-exports.service.js';
import { DatasetRegistryModule } from './dataset-registry.module.js';
import { DatasetReports } from './dataset-reports.service.js';
import { DatasetStream } from './dataset-stream.service.js';
import { DatasetSweeper } from './dataset-sweeper.service.js';
import { DatasetController } from './dataset.controller.js';
import { DatasetService } from './dataset.service.js';
import { RegisteredRows } from './registered-rows.store.js';
import { RowIndexStore } from './row-index.store.js';
import { RowQuality } from './row-quality.js';
import { DatasetUpload } from './upload/dataset-upload.js';
import { IncomingFiles } from './upload/incoming-files.js';
import { VersionsController } from './versions.controller.js';

/**
 * Imported behind modules with fixed routes under
 * api/datasets (search, statistics): routes of one dataset would answer for them.
 */
@Module({
  imports: [DatasetRegistryModule, TrainingModule, DocumentsModule, SearchModule],
  controllers: [DatasetController, VersionsController],
  providers: [
    BuildQueueStore,
    BuildSources,
    BuilderService,
    DataFolder,
    DatasetChangesStore,
    DatasetCreation,
    DatasetExports,
    DatasetReports,
    DatasetService,
    DatasetStream,
    DatasetSweeper,
    DatasetUpload,
    IncomingFiles,
    RegisteredRows,
    RowIndexStore,
    { provide: RowQuality, useClass: CheckedQuality },
  ],
})
export class DatasetModule {}
