import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { Clock } from '../../kernel/clock.js';
import { Log } from '../../kernel/log.js';
import { ServingMetrics } from './serving-metrics.js';

/** What nearly everybody here needs. */
@Injectable()
export class ServingTools {
  constructor(
    readonly settings: Settings,
    readonly clock: Clock,
    readonly log: Log,
    readonly metrics: ServingMetrics,
  ) {}
}
