import { Module } from '@nestjs/common';
import { AdapterRegistryModule } from '../adapters/adapter-registry.module.js';
import { TrainingModule } from '../training/training.module.js';
import { FileFolder } from './files/file-folder.js';
import { DataFolder } from '../../config/data-folder.js';
import { FileStore } from './files/file.store.js';
import { FileSweeper } from './files/file-sweeper.service.js';
import { FileUpload } from './files/file-upload.js';
import { FileUse } from './files/file-use.js';
import { FilesController } from './files/files.controller.js';
import { FilesService } from './files/files.service.js';
import { FineTuningController } from './jobs/fine-tuning.controller.js';
import { FineTuningJobsService } from './jobs/fine-tuning-jobs.service.js';
import { JobChecking } from './jobs/job-checking.service.js';
import { FineTuningCreation } from './jobs/job-creation.service.js';
import { JobDetails } from './jobs/job-details.service.js';
import { JobResults } from './jobs/job-results.service.js';
import { JobRowStore } from './jobs/job.store.js';
import { ModelNames } from './jobs/model-names.js';
import { TrainingOrders } from './jobs/training-orders.js';

/** OpenAI's files and fine-tuning API. */
@Module({
  imports: [AdapterRegistryModule, TrainingModule],
  controllers: [FilesController, FineTuningController],
  providers: [
    FileFolder,
    DataFolder,
    FileStore,
    FileSweeper,
    FileUpload,
    FileUse,
    FilesService,
    FineTuningCreation,
    FineTuningJobsService,
    JobChecking,
    JobDetails,
    JobResults,
    JobRowStore,
    ModelNames,
    TrainingOrders,
  ],
})
export class FineTuningModule {}
