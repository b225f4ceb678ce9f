import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { join } from 'node:path';
import type { AuditListDto, AuditVerifyDto } from '../../src/modules/audit/audit.dto.js';
import { App } from '../fixtures/app.js';
import { Command } from '../fixtures/command.js';
import { Jobs } from '../fixtures/jobs.js';
import { root } from '../fixtures/trainer.js';

import.meta.jest.setTimeout(180_000);

const run = promisify(execFile);

describe('the audit trail of the built application', () => {
  let app: App;

  beforeAll(async () => {
    app = await App.start({ env: { CLARA_AUDIT_ENABLED: 'true' } });
  });
  afterAll(() => app.dispose());

  const list = async (query: string) => (await app.call<AuditListDto>('GET', `/api/audit?${query}`)).body.rows;

  /** `npx clara audit …` on the data folder of the application. */
  const shell = async (...args: string[]): Promise<string> => {
    const env = { ...process.env, CLARA_SECURITY_MODE: 'debug', CLARA_DATA_DIR: app.data };
    // Not by way of scripts/clara.mjs: that might build again under the application that runs.
    const program = `import(${JSON.stringify(join(root, 'dist/src/cli.js'))}).then(({ commandLine }) => commandLine(process.env, ${JSON.stringify(root)}).parseAsync(process.argv.slice(1), { from: 'user' }))`;
    return (await run(process.execPath, ['-e', program, '--', 'audit', ...args], { env })).stdout;
  };

  it('records a posted job with who, what and from where', async () => {
    const id = await new Jobs(app).post();
    const [row] = await list(`action=training.job&target_id=${id}`);
    expect(row).toMatchObject({ action: 'training.job.create', actor: 'debug-user', outcome: 'done', via: 'debug' });
    expect(await list('action=application.start')).toHaveLength(1);
    expect(await list('actor=debug-user&outcome=done')).not.toHaveLength(0);
    expect(await list('actor=nobody')).toHaveLength(0);
  });

  it('exports CSV and JSON lines', async () => {
    const csv = await app.call<string>('GET', '/api/audit/export?format=csv');
    expect(csv.headers.get('content-type')).toContain('text/csv');
    expect(csv.body.split('\n')[0]).toBe(
      'id,time,actor,pseudonym,roles,via,certificate,action,target_type,target_id,outcome,address,request_id,detail',
    );
    expect(csv.body).toContain('training.job.create');
    const lines = await (await fetch(`http://127.0.0.1:${app.ports.TRAINING}/api/audit/export?action=training`)).text();
    expect(
      lines
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { action: string }).action),
    ).toEqual(['training.job.create']);
  });

  it('verifies, and erases a name', async () => {
    const { body } = await app.call<AuditVerifyDto>('GET', '/api/audit/verify?fresh=true');
    expect(body).toMatchObject({ ok: true });
    const forgotten = await app.call('POST', '/api/audit/subjects/forget', { body: { subject: 'debug-user' } });
    expect(forgotten).toMatchObject({ status: 200, body: { erased: 1 } });
    expect(await list('actor=debug-user&action=training')).toHaveLength(0);
  });

  it('is read, verified and forgotten from a shell while the application runs, which goes on', async () => {
    const jobs = new Jobs(app);
    // Its end is a row of its own, under the same name.
    await jobs.until(await jobs.post(), 'completed');
    const verified = JSON.parse(await shell('verify', '--json')) as AuditVerifyDto;
    expect(verified).toMatchObject({ ok: true });
    expect(verified.findings.map(({ kind }) => kind).filter((kind) => kind !== 'head_file_missing')).toEqual([]);
    expect(await shell('list', '--limit', '10')).toContain('training.job.create  debug-user');
    expect(await shell('forget', 'debug-user')).toContain('1 pseudonym(s)');
    expect(await list('actor=debug-user')).toHaveLength(0);
    await new Jobs(app).post();
    expect(await list('actor=debug-user&action=training.job.create')).toHaveLength(1);
  });

  it('is verified from a shell after kill -9 and after a stop', async () => {
    await new Jobs(app).post();
    await app.kill('SIGKILL');
    await app.restart();
    await app.kill('SIGTERM');
    const result = JSON.parse(await shell('verify', '--json')) as AuditVerifyDto;
    expect(result).toMatchObject({ ok: true });
    expect(result.links).toBeGreaterThan(5);
  });

  it('says what a command lacks in words, without a stack', async () => {
    const problem = async (env: Record<string, string>, ...args: string[]) => {
      const command = Command.run(['scripts/clara.mjs', ...args], { env: { CLARA_DATA_DIR: app.data, ...env } });
      const { code } = await command.ended;
      return `${code}: ${command.output.trim()}`;
    };
    const debug = { CLARA_SECURITY_MODE: 'debug' };
    for (const [told, words] of [
      [await problem({}, 'audit', 'verify'), 'CLARA_SECURITY_MODE: is not set'],
      [await problem(debug, 'pki', 'info'), 'CLARA_PKI_PASSPHRASE: is missing'],
      [await problem(debug, 'audit', 'list', '--limit', 'x'), '--limit: give a whole number'],
      [await problem(debug, 'audit', 'export', '--format', 'xml'), '"xml" is neither csv nor jsonl'],
    ] as const) {
      expect(told).toMatch(/^1: /);
      expect(told).toContain(words);
      expect(told).not.toMatch(/\n\s+at /);
    }
  });
});
