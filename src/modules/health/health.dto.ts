import { ApiPropertyOptional } from '@nestjs/swagger';

export class HealthDto {
  status!: 'healthy';
  /** @example "clara_training_backend" */
  service!: string;
  port!: number;
  /** Jobs that are pending, queued or running (training port). */
  active_jobs?: number;
  max_concurrent_jobs?: number;
  /** Of the HTTP contract (PKI port). */
  version?: string;
  /** Parts behind the documents: `up`, or `down` with what waits for them (ingestion port). */
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' } })
  components?: Record<string, string>;
  /** Parallel work (ingestion port). */
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'integer' } })
  worker_pool?: Record<string, number>;
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, nullable: true })
  hardening?: null;
  /** Whether documents can be searched (dataset port). */
  uds3_available?: boolean;
  datasets_count?: number;
  /** What answers (serving port). */
  engine?: string;
  replicas_up?: number;
  replicas_total?: number;
  adapters_loaded?: number;
  /** ISO 8601 in UTC, without a zone, as the original writes it. */
  timestamp!: string;
}

export class ReadinessDto {
  /** `degraded`: requests are served, but jobs wait; the details say for what. */
  status!: 'ok' | 'degraded' | 'error' | 'shutting_down';
  details!: Record<string, unknown>;
}

export class LivenessDto {
  status!: 'ok';
}

export class AliveDto {
  status!: 'alive';
}

export class ReadyDto {
  ready!: boolean;
  dependencies!: Record<string, unknown>;
}
