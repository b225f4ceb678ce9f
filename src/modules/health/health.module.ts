import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { TrainingModule } from '../training/training.module.js';
import { DatasetRegistryModule } from '../dataset/dataset-registry.module.js';
import { ServingModule } from '../serving/serving.module.js';
import { DocumentsModule } from '../documents/documents.module.js';
import { HealthController } from './health.controller.js';
import { PartsLook } from './parts-state.js';
import { ReadinessService } from './readiness.service.js';
import { ServiceFacts } from './service-facts.js';

@Module({
  imports: [
    TerminusModule.forRoot({ logger: false }),
    TrainingModule,
    DocumentsModule,
    DatasetRegistryModule,
    ServingModule,
  ],
  controllers: [HealthController],
  providers: [PartsLook, ReadinessService, ServiceFacts],
})
export class HealthModule {}
