import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { TrainingModule } from '../training/training.module.js';
import { DatasetRegistryModule } from '../dataset/dataset-registry.module.js';
import { DocumentsModule } from '../documents/documents.module.js';
import { HealthController } from './health.controller.js';
import { HealthFacts } from './health-facts.js';
import { PartsLook } from './parts-state.js';
import { ReadinessService } from './readiness.service.js';

@Module({
  imports: [TerminusModule.forRoot({ logger: false }), TrainingModule, DocumentsModule, DatasetRegistryModule],
  controllers: [HealthController],
  providers: [HealthFacts, PartsLook, ReadinessService],
})
export class HealthModule {}
