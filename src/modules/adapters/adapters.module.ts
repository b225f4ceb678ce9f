import { Module } from '@nestjs/common';
import { TrainingModule } from '../training/training.module.js';
import { AdapterRegistryModule } from './adapter-registry.module.js';
import { BackFill } from './back-fill.service.js';

/** The registry over HTTP, and what it does in the background. */
@Module({
  imports: [AdapterRegistryModule, TrainingModule],
  providers: [BackFill],
})
export class AdaptersModule {}
