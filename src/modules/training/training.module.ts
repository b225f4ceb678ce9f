import { Module } from '@nestjs/common';
import { AdapterRegistryModule } from '../adapters/adapter-registry.module.js';
import { DatasetRegistryModule } from '../dataset/dataset-registry.module.js';
import { AdapterRegistration } from './adapter-registration.js';
import { AttemptEnd } from './attempt-end.js';
import { AttemptStart } from './attempt-start.js';
import { CompletedJobs } from './completed-jobs.port.js';
import { CompletedJobStore } from './completed-jobs.store.js';
import { DatasetUse } from './dataset-use.port.js';
import { DispatcherService } from './dispatcher.service.js';
import { FineTuningJobs } from './fine-tuning-jobs.port.js';
import { JobAccess } from './job-access.service.js';
import { GpuSlots } from './gpu-slots.port.js';
import { GpuSlotHolder } from './gpu-slot-holder.js';
import { HostTrainings } from './host-trainings.port.js';
import { JobCreation } from './job-creation.service.js';
import { JobEventFeed } from './job-events.port.js';
import { JobEventStore } from './job-events.store.js';
import { JobLogs } from './job-logs.service.js';
import { JobNews } from './job-news.js';
import { JobPauses } from './job-pauses.service.js';
import { JobPlanner } from './job-planner.js';
import { JobQueueStore } from './job-queue.store.js';
import { JobStore } from './job.store.js';
import { OrderedJobStore } from './ordered-jobs.store.js';
import { OrderedJobs } from './ordered-jobs.service.js';
import { RetentionService } from './retention.service.js';
import { RunningTrainings } from './running-trainings.js';
import { RequestSources } from './request-sources.js';
import { TrainingController } from './training.controller.js';
import { TrainingMetrics } from './training-metrics.js';
import { TrainingReports } from './training-reports.service.js';
import { TrainingService } from './training.service.js';
import { TrainingStatus } from './training-status.port.js';

@Module({
  imports: [AdapterRegistryModule, DatasetRegistryModule],
  controllers: [TrainingController],
  providers: [
    AdapterRegistration,
    AttemptEnd,
    AttemptStart,
    DispatcherService,
    JobAccess,
    JobCreation,
    JobLogs,
    JobNews,
    JobPauses,
    JobPlanner,
    JobQueueStore,
    JobStore,
    OrderedJobStore,
    RetentionService,
    RequestSources,
    TrainingMetrics,
    TrainingReports,
    TrainingService,
    { provide: GpuSlots, useClass: GpuSlotHolder },
    { provide: HostTrainings, useClass: RunningTrainings },
    { provide: JobEventFeed, useClass: JobEventStore },
    { provide: FineTuningJobs, useClass: OrderedJobs },
    { provide: TrainingStatus, useExisting: JobStore },
    { provide: CompletedJobs, useClass: CompletedJobStore },
    { provide: DatasetUse, useExisting: JobStore },
  ],
  exports: [
    CompletedJobs,
    DatasetUse,
    DispatcherService,
    FineTuningJobs,
    GpuSlots,
    HostTrainings,
    JobEventFeed,
    TrainingStatus,
  ],
})
export class TrainingModule {}
