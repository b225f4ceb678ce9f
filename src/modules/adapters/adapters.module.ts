import { Module } from '@nestjs/common';
import { TrainingModule } from '../training/training.module.js';
import { AdapterController } from './adapter.controller.js';
import { AdapterRegistryModule } from './adapter-registry.module.js';
import { AdapterService } from './adapter.service.js';
import { AdapterSweeper } from './adapter-sweeper.service.js';
import { AliasController } from './alias.controller.js';
import { AliasService } from './alias.service.js';
import { BackFill } from './back-fill.service.js';
import { ExportBases } from './export-bases.js';
import { ExportController } from './export.controller.js';
import { ExportRunner } from './export-runner.service.js';
import { ExportService } from './export.service.js';
import { ExportStore } from './export.store.js';
import { ForeignCheck } from './foreign-check.js';
import { AdapterUpload } from './upload/adapter-upload.js';
import { UploadedAdapters } from './upload/uploaded-adapters.service.js';
import { VersionChangesStore } from './version-changes.store.js';

/** The registry over HTTP, and what it does in the background. */
@Module({
  imports: [AdapterRegistryModule, TrainingModule],
  controllers: [AliasController, AdapterController, ExportController],
  providers: [
    AdapterService,
    AdapterSweeper,
    AdapterUpload,
    AliasService,
    BackFill,
    ExportBases,
    ExportRunner,
    ExportService,
    ExportStore,
    ForeignCheck,
    UploadedAdapters,
    VersionChangesStore,
  ],
})
export class AdaptersModule {}
