import type { DataSource, EntityManager } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import { columnsAsText, GENESIS, linkHash, type StoredRow } from './chain.js';
import { Findings, type VerifyResult } from './findings.js';
import type { HeadFile } from './head-file.js';
import { fingerprint, isSealed, type AuditKeys, type SignedSeal } from './signer.js';

const PAGE = 5000;
const UNLINKED_AFTER_SECONDS = 10;
const MOST_NAMED = 20;

type Link = StoredRow & { seq: number; row_id: number; hash: string };
interface End {
  seq: number;
  hash: string;
}

const LINKS = `
SELECT l.seq, l.row_id, encode(l.hash, 'hex') AS hash, ${columnsAsText}
  FROM audit_links l LEFT JOIN audit_rows r ON r.id = l.row_id WHERE l.seq > $1 ORDER BY l.seq LIMIT ${PAGE}`;
const sealsOf = (table: string) =>
  `SELECT seq, encode(hash, 'hex') AS hash, time, key, signature FROM ${table} ORDER BY seq`;

/** Computes the whole chain again and compares it with every signed head, in one snapshot of the database. */
export class Verifier {
  constructor(
    private readonly source: DataSource,
    private readonly keys: AuditKeys,
    private readonly file: HeadFile,
    /** Public keys, besides our own, that heads and checkpoints may be signed with. */
    private readonly others: readonly string[] = [],
  ) {}

  /** @param signal ends it early @param onProgress called with the number of links so far */
  async verify(signal?: AbortSignal, onProgress: (links: number) => void = () => undefined): Promise<VerifyResult> {
    const started = performance.now();
    const findings = new Findings();
    // The file first: what it says must be in a snapshot that is taken later.
    const heads = await this.#fileHeads(findings);
    const links = await this.source.transaction('REPEATABLE READ', async (sql) => {
      // Whoever can write into the database alone cannot make a key known.
      const known = new Set([this.keys.publicKey, ...this.others, ...heads.map(({ key }) => key)]);
      const walk = new Walk(findings, await this.#start(sql, known, findings), [
        ...this.#signed(await sealsIn(sql, 'audit_heads'), 'the table', findings),
        ...heads,
      ]);
      for (;;) {
        signal?.throwIfAborted();
        const page = await rowsOf<Link>(sql, LINKS, [walk.end.seq]);
        for (const link of page) walk.step(link);
        onProgress(walk.links);
        if (page.length < PAGE) break;
      }
      walk.finish();
      await this.#unlinked(sql, findings);
      await guards(sql, findings);
      return walk.links;
    });
    return findings.result(links, Math.round(performance.now() - started));
  }

  /** Rows are believed to be removed rightfully where a known key says so. */
  async #start(sql: EntityManager, known: ReadonlySet<string>, findings: Findings): Promise<End> {
    const signed = (await sealsIn(sql, 'audit_checkpoints')).filter((seal) =>
      isGenuine('checkpoint', seal, 'the table', findings),
    );
    for (const { seq, key } of signed.filter((seal) => !known.has(seal.key)))
      findings.error(
        'other_key',
        `the checkpoint at link ${seq} is signed with an unknown key, ${fingerprint(key)}: it is not believed`,
        seq,
      );
    return signed.findLast(({ key }) => known.has(key)) ?? { seq: 0, hash: GENESIS };
  }

  async #fileHeads(findings: Findings): Promise<SignedSeal[]> {
    const found = await this.file.read();
    if (!found) {
      findings.warn(
        'head_file_missing',
        `there are no signed heads outside the database: ${this.file.path} is missing`,
      );
      return [];
    }
    for (const line of found.broken)
      findings.warn('head_file_line', `line ${line} of ${this.file.path} is no signed head (cut off by a crash?)`);
    return this.#signed(found.heads, this.file.path, findings);
  }

  /** A head of another key may be wrong and still can only add to what is found. */
  #signed(heads: SignedSeal[], where: string, findings: Findings): SignedSeal[] {
    const signed = heads.filter((head) => isGenuine('head', head, where, findings));
    const ours = new Set([this.keys.publicKey, ...this.others]);
    for (const key of new Set(signed.map((head) => head.key).filter((name) => !ours.has(name))))
      findings.warn('other_key', `heads in ${where} are signed with another key, ${fingerprint(key)}: is it yours?`);
    return signed;
  }

  async #unlinked(sql: EntityManager, findings: Findings): Promise<void> {
    const rows = await rowsOf<{ id: number }>(
      sql,
      `SELECT r.id FROM audit_rows r LEFT JOIN audit_links l ON l.row_id = r.id
        WHERE l.row_id IS NULL AND r.time < now() - make_interval(secs => $1) ORDER BY r.id LIMIT ${MOST_NAMED}`,
      [UNLINKED_AFTER_SECONDS],
    );
    for (const { id } of rows)
      findings.error('unlinked', `row ${id} stands outside the chain: inserted beside it, or never linked`, null, id);
  }
}

function isGenuine(kind: 'head' | 'checkpoint', seal: SignedSeal, where: string, findings: Findings): boolean {
  if (isSealed(kind, seal)) return true;
  findings.error('signature', `the ${kind} at link ${seal.seq} in ${where} has a wrong signature`, seal.seq);
  return false;
}

/** One pass over the links in order. */
class Walk {
  end: End;
  links = 0;
  readonly #heads: SignedSeal[];
  #next = 0;

  constructor(
    private readonly findings: Findings,
    start: End,
    heads: SignedSeal[],
  ) {
    this.end = start;
    this.#heads = heads.filter(({ seq }) => seq >= start.seq).toSorted((one, other) => one.seq - other.seq);
    this.#compareHeads();
  }

  /** After a finding the stored hash counts, so that one wrong row is one finding. */
  step(link: Link): void {
    const expected = this.end.seq + 1;
    const isGap = link.seq !== expected;
    if (isGap)
      this.findings.error(
        'removed',
        `links ${expected} to ${link.seq - 1} are gone, before row ${link.row_id}`,
        expected,
      );
    if (link.id === null)
      this.findings.error('removed', `row ${link.row_id} (link ${link.seq}) is gone`, link.seq, link.row_id);
    else if (!isGap && linkHash(this.end.hash, link) !== link.hash)
      this.findings.error(
        'changed',
        `row ${link.row_id} (link ${link.seq}) is not what was linked`,
        link.seq,
        link.row_id,
      );
    this.#skipHeadsBefore(link.seq);
    this.end = { seq: link.seq, hash: link.hash };
    this.links += 1;
    this.#compareHeads();
  }

  finish(): void {
    const last = this.#heads.at(-1);
    if (last && last.seq > this.end.seq)
      this.findings.error(
        'cut_off',
        `the chain ends at link ${this.end.seq}, but a head was signed at link ${last.seq} (${last.time})`,
        this.end.seq + 1,
      );
  }

  #compareHeads(): void {
    for (let head = this.#heads[this.#next]; head?.seq === this.end.seq; head = this.#heads[(this.#next += 1)])
      if (head.hash !== this.end.hash)
        this.findings.error('head', `the head signed at ${head.time} contradicts link ${head.seq}`, head.seq);
  }

  #skipHeadsBefore(seq: number): void {
    while ((this.#heads[this.#next]?.seq ?? Infinity) < seq) this.#next += 1;
  }
}

async function sealsIn(sql: EntityManager, table: 'audit_heads' | 'audit_checkpoints'): Promise<SignedSeal[]> {
  const rows = await rowsOf<Omit<SignedSeal, 'time'> & { time: Date }>(sql, sealsOf(table));
  return rows.map((row) => ({ ...row, time: row.time.toISOString() }));
}

const TRIGGERS = 8;

/** What keeps the tables from being changed. */
async function guards(sql: EntityManager, findings: Findings): Promise<void> {
  const [row] = await rowsOf<{ owns: boolean; triggers: number }>(
    sql,
    `SELECT pg_has_role(current_user, c.relowner, 'MEMBER')
        OR has_table_privilege('audit_rows', 'UPDATE, DELETE, TRUNCATE')
        OR has_table_privilege('audit_links', 'UPDATE, DELETE, TRUNCATE')
        OR has_table_privilege('audit_heads', 'UPDATE, DELETE, TRUNCATE')
        OR has_table_privilege('audit_checkpoints', 'UPDATE, DELETE, TRUNCATE') AS owns, (
        SELECT count(*)::int FROM pg_trigger t JOIN pg_class k ON k.oid = t.tgrelid
          WHERE k.relname LIKE 'audit\\_%' AND t.tgname ~ '^audit_.*_(keep|whole)$' AND t.tgenabled IN ('O', 'A')) AS triggers
      FROM pg_class c WHERE c.oid = 'audit_rows'::regclass`,
  );
  if (row?.triggers !== TRIGGERS)
    findings.error(
      'guards',
      `${TRIGGERS - (row?.triggers ?? 0)} of ${TRIGGERS} triggers that keep the trail are missing`,
    );
  if (row?.owns)
    findings.warn(
      'role_owns_trail',
      'the database role that verifies owns the trail or has rights to change it: see docs/AUDIT.md',
    );
}
