import { Inject, Injectable, Optional } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, TypeOrmHealthIndicator } from '@nestjs/terminus';
import type { HealthIndicatorResult } from '@nestjs/terminus';
import { Clock } from '../../kernel/clock.js';
import { ServiceIdentity } from '../pki/service-identity.port.js';
import { certificateState, type CertificateState } from './certificate-state.js';
import type { ReadinessDto } from './health.dto.js';
import { PartsLook, type PartsState } from './parts-state.js';

const DATABASE_TIMEOUT_MS = 2000;

/** Whether requests can be served (the database answers, the own certificate is valid), and whether anything waits. */
@Injectable()
export class ReadinessService {
  constructor(
    private readonly health: HealthCheckService,
    private readonly database: TypeOrmHealthIndicator,
    private readonly indicators: HealthIndicatorService,
    private readonly clock: Clock,
    private readonly parts: PartsLook,
    @Optional() @Inject(ServiceIdentity) private readonly identity: ServiceIdentity | undefined,
  ) {}

  /** @throws ServiceUnavailableException (503) while the database does not answer, or the own certificate has ended */
  async check(): Promise<ReadinessDto> {
    const certificate = this.identity && certificateState(this.identity.current(), this.clock.now());
    const parts = await this.parts.look();
    const result = await this.health.check([
      () => this.database.pingCheck('database', { timeout: DATABASE_TIMEOUT_MS }),
      ...this.#up(parts),
      ...(certificate ? [() => this.#certificate(certificate)] : []),
    ]);
    const isDegraded = parts.isDegraded || certificate?.isEnding;
    return { ...result, status: result.status === 'ok' && isDegraded ? 'degraded' : result.status };
  }

  /** What lags behind keeps work waiting, but nobody from asking for it. */
  #up({ details }: PartsState): (() => HealthIndicatorResult)[] {
    return Object.entries(details).map(
      ([name, detail]) =>
        () =>
          this.indicators.check(name).up(detail),
    );
  }

  #certificate({ hasEnded, detail }: CertificateState): HealthIndicatorResult {
    const indicator = this.indicators.check('certificate');
    return hasEnded ? indicator.down(detail) : indicator.up(detail);
  }
}
