import { Injectable } from '@nestjs/common';
import {
  HealthCheckService,
  HealthIndicatorService,
  TypeOrmHealthIndicator,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import { AuditStatus } from '../audit/audit-status.port.js';
import { TrainerEnvironment } from '../training/trainer-environment.port.js';
import type { ReadinessDto } from './health.dto.js';

const DATABASE_TIMEOUT_MS = 2000;

/** Whether requests can be served (the database answers) and jobs can start (the trainer is installed). */
@Injectable()
export class ReadinessService {
  constructor(
    private readonly health: HealthCheckService,
    private readonly database: TypeOrmHealthIndicator,
    private readonly indicators: HealthIndicatorService,
    private readonly environment: TrainerEnvironment,
    private readonly audit: AuditStatus,
  ) {}

  /** @throws ServiceUnavailableException (503) while the database does not answer */
  async check(): Promise<ReadinessDto> {
    const result = await this.health.check([
      () => this.database.pingCheck('database', { timeout: DATABASE_TIMEOUT_MS }),
      () => this.#trainer(),
      () => this.indicators.check('audit').up(this.audit.status()),
    ]);
    const trainer = this.environment.status();
    const isBehind = !trainer.ready || !this.audit.status().ready;
    return { ...result, status: result.status === 'ok' && isBehind ? 'degraded' : result.status };
  }

  /** A trainer that is still being installed keeps jobs waiting, but nobody from posting them. */
  #trainer(): HealthIndicatorResult {
    const status = this.environment.status();
    return this.indicators
      .check('trainer')
      .up(status.ready ? { ready: true } : { ready: false, reason: status.reason });
  }
}
