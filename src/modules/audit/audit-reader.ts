import type { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import type { AuditFilter, AuditRowDto } from './audit.dto.js';
import type { Subjects } from './subjects.js';

const EXPORTED_AT_ONCE = 1000;

/** Reads the trail, newest first, with the names that are not erased. */
export class AuditReader {
  constructor(
    private readonly source: DataSource,
    private readonly subjects: Subjects,
  ) {}

  async page(filter: AuditFilter, limit: number, before?: number): Promise<AuditRowDto[]> {
    const { conditions, values } = await this.#where(filter, before);
    return rowsOf<AuditRowDto>(
      this.source,
      `SELECT r.id, r.time, coalesce(s.subject, r.actor::text) AS actor, r.actor AS pseudonym, r.roles, r.via, r.certificate,
          r.action, r.target_type, r.target_id, r.outcome, r.address, r.request_id, r.detail
        FROM audit_rows r LEFT JOIN audit_subjects s ON s.pseudonym = r.actor
        WHERE ${conditions.join(' AND ')} ORDER BY r.id DESC LIMIT ${limit}`,
      values,
    );
  }

  /** Everything that the filter lets through, page by page as it is taken. */
  async *all(filter: AuditFilter): AsyncGenerator<AuditRowDto> {
    let before: number | undefined;
    for (;;) {
      const rows = await this.page(filter, EXPORTED_AT_ONCE, before);
      yield* rows;
      before = rows.at(-1)?.id;
      if (rows.length < EXPORTED_AT_ONCE) return;
    }
  }

  async #where(filter: AuditFilter, before: number | undefined) {
    const conditions = ['true'];
    const values: unknown[] = [];
    const add = (condition: string, value: unknown): void => {
      if (value === undefined) return;
      values.push(value);
      conditions.push(condition.replace('?', `$${values.length}`));
    };
    add(
      'r.action LIKE ?',
      filter.action === undefined ? undefined : `${filter.action.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`,
    );
    add('r.actor = ANY (?::uuid[])', filter.actor ? await this.subjects.pseudonymsOf(filter.actor) : undefined);
    add('r.target_type = ?', filter.target_type);
    add('r.target_id = ?', filter.target_id);
    add('r.outcome = ?', filter.outcome);
    add('r.time >= ?', filter.from);
    add('r.time < ?', filter.to);
    add('r.request_id = ?', filter.request_id);
    add('r.id < ?', before);
    return { conditions, values };
  }
}
