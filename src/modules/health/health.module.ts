import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { DatasetRegistryModule } from '../dataset/dataset-registry.module.js';
import { TrainingModule } from '../training/training.module.js';
import { DocumentsModule } from '../documents/documents.module.js';
import { HealthController } from './health.controller.js';
import { PartsLook } from './parts-state.js';
import { ReadinessService } from './readiness.service.js';

@Module({
  imports: [TerminusModule.forRoot({ logger: false }), TrainingModule, DocumentsModule, DatasetRegistryModule],
  controllers: [HealthController],
  providers: [PartsLook, ReadinessService],
})
export class HealthModule {}
