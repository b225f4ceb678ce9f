import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../../kernel/errors.js';
import { decodeCursor, encodeCursor } from '../../kernel/paging.js';
import { inTransaction } from '../../kernel/transaction.js';
import { isAdmin, type Caller } from '../security/principal.port.js';
import { exported } from './audit-export.js';
import { AuditKeeping, type AuditParts } from './audit-parts.js';
import { AuditReader } from './audit-reader.js';
import type { AuditListDto, AuditVerifyDto, ExportAuditQuery, ForgottenDto, ListAuditQuery } from './audit.dto.js';

const VERIFIED_FOR_MS = 60_000;
const VERIFY_DEADLINE_MS = 600_000;

/** The API of the trail. */
@Injectable()
export class AuditService {
  #verifying: Promise<AuditVerifyDto> | undefined;
  #verified: AuditVerifyDto | undefined;

  constructor(
    private readonly keeping: AuditKeeping,
    private readonly source: DataSource,
  ) {}

  async list(query: ListAuditQuery): Promise<AuditListDto> {
    const before = query.cursor ? decodeCursor(query.cursor) : undefined;
    const rows = await this.#reader().page(query, query.limit, before);
    const last = rows.at(-1);
    return { rows, next_cursor: last && rows.length === query.limit ? encodeCursor(last.id) : null };
  }

  async export(query: ExportAuditQuery, user: Caller): Promise<Readable> {
    const { trail } = this.#parts();
    await trail.record(this.source, user, {
      action: 'audit.export',
      outcome: 'done',
      detail: { format: query.format },
    });
    return exported(this.#reader().all(query), query.format);
  }

  /** One at a time; who asks meanwhile gets its result, and for a minute everybody does. */
  async verify(user: Caller, fresh: boolean): Promise<AuditVerifyDto> {
    const parts = this.#parts();
    const last = this.#verified;
    if (!fresh && last && Date.now() - Date.parse(last.verified_at) < VERIFIED_FOR_MS) return last;
    this.#verifying ??= this.#run(parts, user).finally(() => (this.#verifying = undefined));
    return this.#verifying;
  }

  async forget(subject: string, user: Caller): Promise<ForgottenDto> {
    const { subjects, trail } = this.#parts();
    if (!isAdmin(user)) {
      trail.refused(user, { action: 'audit.subject.forget' });
      throw new AppError('forbidden', 'Only an admin may erase a name. Required roles (any): [admin]');
    }
    return inTransaction(this.source, async (sql) => {
      const erased = await subjects.forget(sql, subject);
      await trail.record(sql, user, { action: 'audit.subject.forget', outcome: 'done', detail: { erased } });
      return { erased };
    });
  }

  async #run({ verifier, trail }: AuditParts, user: Caller): Promise<AuditVerifyDto> {
    const result = await verifier.verify(AbortSignal.timeout(VERIFY_DEADLINE_MS));
    const detail = { ok: result.ok, links: result.links, findings: result.findings.length + result.more };
    await trail.record(this.source, user, { action: 'audit.verify', outcome: 'done', detail });
    this.#verified = { ...result, verified_at: new Date().toISOString() };
    return this.#verified;
  }

  #reader(): AuditReader {
    return new AuditReader(this.source, this.#parts().subjects);
  }

  #parts(): AuditParts {
    if (this.keeping.parts) return this.keeping.parts;
    throw new AppError(
      'conflict',
      'No audit trail is kept: set CLARA_AUDIT_ENABLED=true, or use another mode than debug',
    );
  }
}
