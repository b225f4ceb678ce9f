import { Module } from '@nestjs/common';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { TrainingModule } from '../training/training.module.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsService } from './metrics.service.js';
import { RootController } from './root.controller.js';

@Module({
  imports: [TrainingModule, RealtimeModule],
  controllers: [MetricsController, RootController],
  providers: [MetricsService],
})
export class MetricsModule {}
