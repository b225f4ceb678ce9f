import type { DataSource } from 'typeorm';
import { rowsOf, type Sql } from '../../kernel/transaction.js';
import type { AuditKeys } from './signer.js';

const REMEMBERED_MS = 10_000;
const MOST_REMEMBERED = 10_000;
const LOOKS = 5;

/** Who is behind a pseudonym; erasing that leaves the rows and the chain as they are. */
export class Subjects {
  /** Rises when somebody is forgotten: what was looked up before must not be remembered after. */
  #generation = 0;
  readonly #known = new Map<string, { pseudonym: string; until: number }>();

  constructor(
    private readonly source: DataSource,
    private readonly keys: AuditKeys,
    private readonly now: () => number = Date.now,
  ) {}

  /** @param sql the open transaction that the row is written in: taking a second connection there could starve the pool */
  async pseudonym(subject: string, sql: Sql = this.source): Promise<string> {
    const known = this.#known.get(subject);
    if (known && this.now() < known.until) return known.pseudonym;
    const generation = this.#generation;
    const { pseudonym, made } = await this.#stored(subject, sql);
    // A transaction that is rolled back takes a new pseudonym with it.
    if ((made && sql !== this.source) || generation !== this.#generation) return pseudonym;
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear();
    this.#known.set(subject, { pseudonym, until: this.now() + REMEMBERED_MS });
    return pseudonym;
  }

  /** Every pseudonym that a subject has: one for each application with keys of its own. */
  async pseudonymsOf(subject: string): Promise<string[]> {
    const rows = await rowsOf<{ pseudonym: string }>(
      this.source,
      'SELECT pseudonym FROM audit_subjects WHERE lookup = $1 OR subject = $2',
      [this.keys.lookup(subject), subject],
    );
    return rows.map(({ pseudonym }) => pseudonym);
  }

  /** Erases who is behind the pseudonyms of a subject; answers how many there were. */
  async forget(sql: Sql, subject: string): Promise<number> {
    const erased = await rowsOf(
      sql,
      `UPDATE audit_subjects SET lookup = NULL, subject = NULL, erased_at = now()
        WHERE lookup = $1 OR subject = $2 RETURNING pseudonym`,
      [this.keys.lookup(subject), subject],
    );
    await sql.query(`SELECT pg_notify('audit_forgotten', '')`);
    return erased.length;
  }

  /** Somebody was forgotten, here or in another application. */
  forgetRemembered(): void {
    this.#generation += 1;
    this.#known.clear();
  }

  async #stored(subject: string, sql: Sql): Promise<{ pseudonym: string; made: boolean }> {
    const lookup = this.keys.lookup(subject);
    for (let look = 1; look <= LOOKS; look += 1) {
      const [row] = await rowsOf<{ pseudonym: string; made: boolean }>(
        sql,
        `WITH known AS (SELECT pseudonym FROM audit_subjects WHERE lookup = $1), made AS (
            INSERT INTO audit_subjects (lookup, subject) SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM known)
              ON CONFLICT DO NOTHING RETURNING pseudonym)
          SELECT pseudonym, true AS made FROM made UNION ALL SELECT pseudonym, false FROM known`,
        [lookup, subject],
      );
      // Another connection made it after our snapshot: the next look sees it.
      if (row) return row;
    }
    throw new Error('no pseudonym could be made or found for a subject');
  }
}
