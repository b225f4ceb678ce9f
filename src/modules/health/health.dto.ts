export class HealthDto {
  status!: 'healthy';
  /** @example "clara_training_backend" */
  service!: string;
  port!: number;
  /** Jobs that are pending, queued or running (training port). */
  active_jobs?: number;
  max_concurrent_jobs?: number;
  /** Whether no store keeps documents waiting (dataset port). */
  uds3_available?: boolean;
  /** Sets of everybody (dataset port). */
  datasets_count?: number;
  /** Of the HTTP contract (PKI port). */
  version?: string;
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
