import { Injectable } from '@nestjs/common';
import { DispatcherService } from './dispatcher.service.js';
import type { HostTrainings } from './host-trainings.port.js';

/** Those that this application supervises; on a GPU they need few cores. */
@Injectable()
export class RunningTrainings implements HostTrainings {
  constructor(private readonly dispatcher: DispatcherService) {}

  onCores(): number {
    return this.dispatcher.running.filter(({ gpu_indices: gpus }) => gpus.length === 0).length;
  }
}
