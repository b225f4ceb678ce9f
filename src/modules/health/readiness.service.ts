import { Inject, Injectable, Optional } from '@nestjs/common';
import {
  HealthCheckService,
  HealthIndicatorService,
  TypeOrmHealthIndicator,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import { Clock } from '../../kernel/clock.js';
import { ServiceIdentity } from '../pki/service-identity.port.js';
import { AuditStatus } from '../audit/audit-status.port.js';
import { DocumentsStatus } from '../documents/documents-status.port.js';
import { TrainerEnvironment } from '../training/trainer-environment.port.js';
import { certificateState, type CertificateState } from './certificate-state.js';
import type { ReadinessDto } from './health.dto.js';

const DATABASE_TIMEOUT_MS = 2000;

/** Whether requests can be served (the database answers, the own certificate is valid) and jobs can start (the trainer is installed). */
@Injectable()
export class ReadinessService {
  constructor(
    private readonly health: HealthCheckService,
    private readonly database: TypeOrmHealthIndicator,
    private readonly indicators: HealthIndicatorService,
    private readonly environment: TrainerEnvironment,
    private readonly clock: Clock,
    private readonly audit: AuditStatus,
    private readonly documents: DocumentsStatus,
    @Optional() @Inject(ServiceIdentity) private readonly identity: ServiceIdentity | undefined,
  ) {}

  /** @throws ServiceUnavailableException (503) while the database does not answer, or the own certificate has ended */
  async check(): Promise<ReadinessDto> {
    const certificate = this.identity && certificateState(this.identity.current(), this.clock.now());
    const lags = await this.documents.lags().catch(() => []);
    const result = await this.health.check([
      () => this.database.pingCheck('database', { timeout: DATABASE_TIMEOUT_MS }),
      () => this.#trainer(),
      () => this.indicators.check('audit').up(this.audit.status()),
      () => this.indicators.check('documents').up({ stores: lags }),
      ...(certificate ? [() => this.#certificate(certificate)] : []),
    ]);
    const isBehind = lags.some(({ reason }) => reason !== null);
    const isDegraded =
      !this.environment.status().ready || !this.audit.status().ready || isBehind || certificate?.isEnding;
    return { ...result, status: result.status === 'ok' && isDegraded ? 'degraded' : result.status };
  }

  /** A trainer that is still being installed keeps jobs waiting, but nobody from posting them. */
  #trainer(): HealthIndicatorResult {
    const status = this.environment.status();
    return this.indicators
      .check('trainer')
      .up(status.ready ? { ready: true } : { ready: false, reason: status.reason });
  }

  #certificate({ hasEnded, detail }: CertificateState): HealthIndicatorResult {
    const indicator = this.indicators.check('certificate');
    return hasEnded ? indicator.down(detail) : indicator.up(detail);
  }
}
