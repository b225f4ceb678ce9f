import type { DataSource, EntityManager } from 'typeorm';
import { inTransaction, rowsOf } from '../../kernel/transaction.js';
import { columnsAsText, GENESIS, linkHash, type StoredRow } from './chain.js';
import type { HeadFile } from './head-file.js';
import type { AuditKeys, Seal } from './signer.js';

const LOCK = [0x636c6172, 0x61756469] as const; // "clar", "audi": one chainer over all applications
const LINKED_AT_ONCE = 2000;

/** Links committed rows into the chain and signs its head. Terms: docs/AUDIT.md. */
export class Chainer {
  constructor(
    private readonly source: DataSource,
    private readonly keys: AuditKeys,
    private readonly file: HeadFile,
    private readonly atOnce = LINKED_AT_ONCE,
  ) {}

  /** Links what is committed and not yet linked; 0 also where another application is at it. */
  async link(): Promise<number> {
    let linked = 0;
    for (let batch = this.atOnce; batch === this.atOnce; linked += batch)
      batch = await inTransaction(this.source, async (sql) => ((await locked(sql)) ? this.#linkBatch(sql) : 0));
    return linked;
  }

  /** Signs the head, if it is newer than the last signed one, into the table and the file. */
  async signHead(): Promise<boolean> {
    return inTransaction(this.source, async (sql) => {
      if (!(await locked(sql))) return false;
      const last = await lastLink(sql);
      const [signed] = await rowsOf<{ seq: number }>(sql, 'SELECT max(seq) AS seq FROM audit_heads');
      if (last.seq === 0 || last.seq <= (signed?.seq ?? 0)) return false;
      const head = this.keys.seal('head', { ...last, time: new Date().toISOString() });
      await sql.query(
        `INSERT INTO audit_heads (seq, hash, time, key, signature) VALUES ($1, decode($2, 'hex'), $3, $4, $5)`,
        [head.seq, head.hash, head.time, head.key, head.signature],
      );
      // Before the commit: a signed head is in the file or nowhere.
      await this.file.append(head);
      return true;
    });
  }

  /** Removes what is older than `days` in whole segments, and leaves a signed checkpoint. */
  async expire(days: number, segment = 1000): Promise<number> {
    if (days === 0) return 0;
    return inTransaction(this.source, async (sql) => {
      if (!(await locked(sql))) return 0;
      const through = await expiredThrough(sql, days, segment);
      if (!through) return 0;
      const checkpoint = this.keys.seal('checkpoint', { ...through, time: new Date().toISOString() });
      const [row] = await rowsOf<{ removed: number }>(sql, 'SELECT audit_expire($1::jsonb) AS removed', [
        JSON.stringify(checkpoint),
      ]);
      return row?.removed ?? 0;
    });
  }

  /** Seconds that the oldest unlinked row waits; undefined where none does. */
  async unlinkedSeconds(): Promise<number | undefined> {
    const [row] = await rowsOf<{ seconds: number | null }>(
      this.source,
      `SELECT extract(epoch FROM clock_timestamp() - min(since))::float8 AS seconds FROM audit_pending`,
    );
    return typeof row?.seconds === 'number' ? Math.max(0, row.seconds) : undefined;
  }

  /** The queue shows what is committed, so a row whose transaction ends late is linked then. */
  async #linkBatch(sql: EntityManager): Promise<number> {
    const rows = await rowsOf<StoredRow>(
      sql,
      `SELECT ${columnsAsText} FROM (SELECT row_id FROM audit_pending ORDER BY row_id LIMIT $1) AS p
        JOIN audit_rows r ON r.id = p.row_id ORDER BY r.id`,
      [this.atOnce],
    );
    if (rows.length === 0) return 0;
    const last = await lastLink(sql);
    let previous = last.hash;
    const hashes = rows.map((row) => (previous = linkHash(previous, row)));
    const ids = rows.map(({ id }) => id);
    await sql.query(
      `INSERT INTO audit_links (seq, row_id, hash)
        SELECT $1::bigint + place, row_id, decode(hash, 'hex')
          FROM unnest($2::bigint[], $3::text[]) WITH ORDINALITY AS fresh (row_id, hash, place)`,
      [last.seq, ids, hashes],
    );
    await sql.query('DELETE FROM audit_pending WHERE row_id = ANY ($1::bigint[])', [ids]);
    return rows.length;
  }
}

async function locked(sql: EntityManager): Promise<boolean> {
  const [row] = await rowsOf<{ locked: boolean }>(sql, 'SELECT pg_try_advisory_xact_lock($1, $2) AS locked', [...LOCK]);
  return row?.locked ?? false;
}

/** The last link; where all were removed, the checkpoint. */
async function lastLink(sql: EntityManager): Promise<Omit<Seal, 'time'>> {
  const [last] = await rowsOf<{ seq: number; hash: string }>(
    sql,
    `SELECT seq, encode(hash, 'hex') AS hash FROM (
        (SELECT seq, hash FROM audit_links ORDER BY seq DESC LIMIT 1)
        UNION ALL (SELECT seq, hash FROM audit_checkpoints ORDER BY seq DESC LIMIT 1)) AS ends
      ORDER BY seq DESC LIMIT 1`,
  );
  return last ?? { seq: 0, hash: GENESIS };
}

/** The end of the last whole segment that lies before the first link that is too young. */
async function expiredThrough(sql: EntityManager, days: number, segment: number) {
  const [found] = await rowsOf<{ seq: number; hash: string }>(
    sql,
    `SELECT seq, encode(hash, 'hex') AS hash FROM audit_links WHERE seq = $2::bigint * ((
        coalesce((SELECT min(l.seq) FROM audit_links l JOIN audit_rows r ON r.id = l.row_id
          WHERE r.time >= now() - make_interval(days => $1)), (SELECT max(seq) + 1 FROM audit_links)) - 1) / $2::bigint)`,
    [days, segment],
  );
  return found;
}
