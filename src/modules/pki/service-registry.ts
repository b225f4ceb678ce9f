import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../../kernel/errors.js';
import { inTransaction, rowsOf } from '../../kernel/transaction.js';
import { AuditTrail } from '../audit/audit.port.js';
import type { Caller } from '../security/principal.port.js';

/** A service that administrators have entered, apart from its certificates. */
export interface RegisteredService {
  service_id: string;
  service_name: string;
  endpoints: string[];
  metadata: Record<string, unknown>;
  health_check_url: string | null;
  registered_at: Date;
}

@Injectable()
export class ServiceRegistry {
  constructor(
    private readonly source: DataSource,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws AppError `conflict` where the service is known */
  register(service: Omit<RegisteredService, 'registered_at'>, caller: Caller): Promise<RegisteredService> {
    const { service_id: id } = service;
    return inTransaction(this.source, async (sql) => {
      const [row] = await rowsOf<RegisteredService>(
        sql,
        `INSERT INTO pki_services (service_id, service_name, endpoints, metadata, health_check_url)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (service_id) DO NOTHING RETURNING *`,
        [id, service.service_name, service.endpoints, JSON.stringify(service.metadata), service.health_check_url],
      );
      if (!row) throw new AppError('conflict', `The service "${id}" is registered already`);
      await this.audit.record(sql, caller, {
        action: 'pki.service.register',
        target: { type: 'service', id },
        outcome: 'done',
      });
      return row;
    });
  }

  list(): Promise<RegisteredService[]> {
    return rowsOf(this.source, 'SELECT * FROM pki_services ORDER BY service_id');
  }

  /** @throws AppError where there is none */
  async one(id: string): Promise<RegisteredService> {
    const [row] = await rowsOf<RegisteredService>(this.source, 'SELECT * FROM pki_services WHERE service_id = $1', [
      id,
    ]);
    if (!row) throw new AppError('not_found', `No service "${id.slice(0, 80)}" is registered`);
    return row;
  }
}
