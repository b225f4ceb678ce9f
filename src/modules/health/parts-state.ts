import { Injectable } from '@nestjs/common';
import { AuditStatus } from '../audit/audit-status.port.js';
import { DocumentsStatus } from '../documents/documents-status.port.js';
import { TrainerEnvironment } from '../training/trainer-environment.port.js';

export interface PartsState {
  /** Something waits, though requests are served. */
  isDegraded: boolean;
  details: Readonly<Record<'trainer' | 'audit' | 'documents', Record<string, unknown>>>;
}

/** The parts that may lag behind while requests are served: a trainer that is being installed, a chain, a store that is down. */
@Injectable()
export class PartsLook {
  constructor(
    private readonly environment: TrainerEnvironment,
    private readonly audit: AuditStatus,
    private readonly documents: DocumentsStatus,
  ) {}

  async look(): Promise<PartsState> {
    const trainer = this.environment.status();
    const audit = this.audit.status();
    const stores = await this.documents.lags().catch(() => []);
    const isBehind = stores.some(({ reason }) => reason !== null);
    return {
      isDegraded: !trainer.ready || !audit.ready || isBehind,
      details: {
        trainer: trainer.ready ? { ready: true } : { ready: false, reason: trainer.reason },
        audit: { ...audit },
        documents: { stores },
      },
    };
  }
}
