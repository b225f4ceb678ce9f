import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { DataSource } from 'typeorm';
import { inTransaction } from '../../kernel/transaction.js';
import { exported } from './audit-export.js';
import { operator } from '../security/principal.port.js';
import type { AuditParts } from './audit-parts.js';
import { AuditReader } from './audit-reader.js';
import { fingerprint } from './signer.js';

type Work = (parts: AuditParts, source: DataSource) => Promise<void>;
/** Opens the trail of the settings for a command, and closes it after. */
export type OpenTrail = (work: Work) => Promise<void>;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** `npx clara audit …`, whether the application runs or not. */
export function addAuditCommands(program: Command, run: OpenTrail): void {
  const audit = program.command('audit').description('The audit trail');
  audit
    .command('verify')
    .description('Compute the chain again; exit status 1 where something is wrong')
    .option('--json')
    .action(({ json }: { json?: true }) => run((parts, source) => verify(parts, source, json ?? false)));
  audit
    .command('list')
    .description('The newest rows')
    .option('--limit <rows>', 'how many', '20')
    .action(({ limit }: { limit: string }) => run((parts, source) => list(parts, source, Number(limit))));
  audit
    .command('export')
    .description('All rows, on stdout')
    .option('--format <format>', 'jsonl or csv', 'jsonl')
    .action(({ format }: { format: string }) => run((parts, source) => exportAll(parts, source, format)));
  audit
    .command('key')
    .description('The public key that heads are signed with')
    .action(() => run(async ({ keys }) => print(`${keys.publicKey}\nfingerprint ${fingerprint(keys.publicKey)}`)));
  audit
    .command('forget <subject>')
    .description('Erase the name behind the pseudonyms of a subject')
    .action((subject: string) => run((parts, source) => forget(parts, source, subject)));
}

async function verify({ verifier, trail }: AuditParts, source: DataSource, json: boolean): Promise<void> {
  const result = await verifier.verify();
  await trail.record(source, operator(), { action: 'audit.verify', outcome: 'done', detail: { ok: result.ok } });
  if (json) print(JSON.stringify(result));
  else {
    for (const { severity, message } of result.findings) print(`${severity}: ${message}`);
    print(
      `${result.links} links verified in ${result.ms} ms: ${result.ok ? 'nothing was bent' : 'NOT as it was written'}`,
    );
  }
  if (!result.ok) process.exitCode = 1;
}

async function list({ subjects }: AuditParts, source: DataSource, limit: number): Promise<void> {
  if (!Number.isInteger(limit) || limit < 1) throw new Error('--limit: give a whole number from 1');
  for (const row of await new AuditReader(source, subjects).page({}, limit))
    print([row.time.toISOString(), row.outcome, row.action, row.actor ?? '-', row.target_id ?? '-'].join('  '));
}

async function exportAll({ subjects, trail }: AuditParts, source: DataSource, format: string): Promise<void> {
  if (format !== 'csv' && format !== 'jsonl') throw new Error(`--format: "${format}" is neither csv nor jsonl`);
  await trail.record(source, operator(), { action: 'audit.export', outcome: 'done', detail: { format } });
  await pipeline(exported(new AuditReader(source, subjects).all({}), format), process.stdout, { end: false });
}

async function forget({ subjects, trail }: AuditParts, source: DataSource, subject: string): Promise<void> {
  const erased = await inTransaction(source, async (sql) => {
    const names = await subjects.forget(sql, subject);
    const entry = { action: 'audit.subject.forget', outcome: 'done', detail: { erased: names } } as const;
    await trail.record(sql, operator(), entry);
    return names;
  });
  print(erased > 0 ? `${erased} pseudonym(s) have lost their name` : 'no such subject stands in the trail');
}
