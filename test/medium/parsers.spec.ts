import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { WorkerProtocol } from '../../src/adapters/parsers/worker-messages.js';
import { WorkerParser, type ParserOptions } from '../../src/adapters/parsers/worker-parser.js';
import { WorkerPool, type PoolOptions } from '../../src/adapters/parsers/worker-pool.js';
import { documentKinds, UnreadableFile } from '../../src/modules/documents/document-parser.port.js';
import { documentFixture, goodFiles } from '../fixtures/document-files.js';
import { eventually } from '../fixtures/waiting.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const MEGABYTE = 1_048_576;
const OPTIONS: ParserOptions = {
  root,
  workers: 2,
  memoryMb: 256,
  timeoutMs: 60_000,
  maxFileBytes: 20 * MEGABYTE,
  maxTextCharacters: 400 * MEGABYTE,
  ocr: null,
};
const never = new AbortController().signal;
const loop = pathToFileURL(join(root, 'dist/src/adapters/parsers/worker-loop.js')).href;

/** Whether a process of this id still runs. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

import.meta.jest.setTimeout(60_000);

describe('parsers in processes', () => {
  let folder: string;
  let parser: WorkerParser | undefined;
  let pool: WorkerPool<WorkerProtocol> | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-parsers-'));
  });
  afterEach(async () => {
    await parser?.close();
    pool?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function put(content: Buffer | string, filename: string): Promise<{ path: string; filename: string }> {
    const path = join(folder, filename);
    await writeFile(path, content);
    return { path, filename };
  }

  /** A worker whose service is this code: `request` is what it is asked. */
  async function workerOf(code: string, options: Partial<PoolOptions> = {}): Promise<WorkerPool<WorkerProtocol>> {
    const path = join(folder, 'worker.mjs');
    await writeFile(
      path,
      `import { serveParent } from ${JSON.stringify(loop)};\nserveParent(async (request, say) => { ${code} });\n`,
    );
    pool = new WorkerPool({ script: { path, writes: null }, workers: 1, memoryMb: 256, timeoutMs: 20_000, ...options });
    return pool;
  }

  const ask = (workers: WorkerPool<WorkerProtocol>, request: object = {}, signal = never): Promise<unknown> =>
    workers.use(signal, (worker) => worker.ask(request, () => undefined, signal));

  it('read a good file of each kind, in a few processes that are used again', async () => {
    const reader = new WorkerParser(OPTIONS);
    parser = reader;
    const files = await Promise.all(documentKinds.map(async (kind) => put(await goodFiles[kind](), `datei.${kind}`)));
    const documents = await Promise.all(files.map((file) => reader.parse(file, never)));
    expect(documents.map(({ kind }) => kind)).toEqual(documentKinds);
    expect(documents.every(({ blocks }) => blocks.length > 0)).toBe(true);
  });

  it('a file that gives nothing fails with its reason, and the next is read', async () => {
    parser = new WorkerParser(OPTIONS);
    await expect(parser.parse(await put('', 'leer.txt'), never)).rejects.toMatchObject({ reason: 'empty' });
    await expect(
      parser.parse(await put(await documentFixture('encrypted.pdf'), 'a.pdf'), never),
    ).rejects.toBeInstanceOf(UnreadableFile);
    expect((await parser.parse(await put('Text', 'a.txt'), never)).blocks).toHaveLength(1);
    await expect(parser.parse({ path: join(folder, 'fehlt'), filename: 'x' }, never)).rejects.toThrow(
      /ENOENT|cannot be read/,
    );
  });

  it('a hang is ended at the deadline; the process is gone, and the next request is served', async () => {
    const workers = await workerOf('if (request.hang) for (;;); return process.pid;', { timeoutMs: 1500 });
    const pid = (await ask(workers)) as number;
    const started = Date.now();
    await expect(ask(workers, { hang: true })).rejects.toMatchObject({
      reason: 'timeout',
      message: expect.stringContaining('1.5 s'),
    });
    expect(Date.now() - started).toBeLessThan(4000);
    await eventually('the process is gone', () => !runs(pid), 5000);
    expect(await ask(workers)).not.toBe(pid);
  });

  it.each([
    ['the heap', 'const all = []; for (;;) all.push({ x: String(Math.random()) });'],
    ['buffers outside of the heap', 'const all = []; for (;;) all.push(Buffer.alloc(4e6, 1));'],
    ['one huge string', 'let all = "x"; for (;;) all += all + Math.random();'],
  ])('%s that bloats is ended with the reason "memory", and this process does not grow', async (_what, code) => {
    const workers = await workerOf(`if (request.bloat) { ${code} } return 1;`);
    const before = process.memoryUsage.rss();
    await expect(ask(workers, { bloat: true })).rejects.toMatchObject({
      reason: 'memory',
      message: expect.stringContaining('memory'),
    });
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * MEGABYTE);
    expect(await ask(workers)).toBe(1);
  });

  it('a process that ends itself is "broken"', async () => {
    const workers = await workerOf('if (request.end) process.exit(3); return 1;');
    await expect(ask(workers, { end: true })).rejects.toMatchObject({
      reason: 'broken',
      message: expect.stringContaining('exit code 3'),
    });
    expect(await ask(workers)).toBe(1);
  });

  it('an abort ends a running and a waiting request', async () => {
    const workers = await workerOf('for (;;);');
    const [running, waiting] = [new AbortController(), new AbortController()];
    const first = ask(workers, {}, running.signal);
    const second = ask(workers, {}, waiting.signal);
    waiting.abort();
    await expect(second).rejects.toThrow(/abort/i);
    setTimeout(() => running.abort(), 500);
    await expect(first).rejects.toThrow(/abort/i);
  });

  it('a parser may not write, start programs or see our environment', async () => {
    const workers = await workerOf(
      `const fs = await import('node:fs'); const { spawnSync } = await import('node:child_process');
       const code = (act) => { try { act(); return 'done'; } catch (error) { return error.code; } };
       return [code(() => fs.writeFileSync(${JSON.stringify(join(folder, 'x'))}, 'x')), code(() => spawnSync('ls')), Object.keys(process.env).filter((name) => !name.startsWith('NODE_'))];`,
    );
    expect(await ask(workers)).toEqual(['ERR_ACCESS_DENIED', 'ERR_ACCESS_DENIED', []]);
  });

  it('a process in an endless loop ends when the application was killed', async () => {
    const script = join(folder, 'worker.mjs');
    await workerOf('if (request.hang) for (;;); return process.pid;');
    const application = join(folder, 'application.mjs');
    const built = pathToFileURL(join(root, 'dist/src/adapters/parsers/worker-pool.js')).href;
    await writeFile(
      application,
      `import { WorkerPool } from ${JSON.stringify(built)};
       const pool = new WorkerPool({ script: { path: ${JSON.stringify(script)}, writes: null }, workers: 1, memoryMb: 256, timeoutMs: 600000 });
       const signal = new AbortController().signal;
       const ask = (request) => pool.use(signal, (worker) => worker.ask(request, () => undefined, signal));
       console.log(await ask({}));
       await ask({ hang: true });`,
    );
    const child = spawn(process.execPath, [application], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [pid] = (await once(child.stdout, 'data')).map(Number) as [number];
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(runs(pid)).toBe(true);
    child.kill('SIGKILL');
    await eventually('the process is gone', () => !runs(pid), 5000);
  });

  it('no more processes than workers, first come, first served', async () => {
    const workers = await workerOf(
      'await new Promise((resolve) => setTimeout(resolve, 100)); return [process.pid, request.number];',
      { workers: 2 },
    );
    const answers = (await Promise.all([1, 2, 3, 4, 5, 6].map((number) => ask(workers, { number })))) as [
      number,
      number,
    ][];
    expect(new Set(answers.map(([pid]) => pid)).size).toBe(2);
    expect(answers.map(([, number]) => number)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('close ends the processes, and what they are asked fails', async () => {
    const workers = await workerOf('if (request.hang) for (;;); return process.pid;', { workers: 2 });
    const pid = (await ask(workers)) as number;
    const hanging = ask(workers, { hang: true });
    setTimeout(() => workers.close(), 300);
    await expect(hanging).rejects.toThrow('the parser is closed');
    await eventually('the process is gone', () => !runs(pid), 5000);
    await expect(ask(workers)).rejects.toThrow('the parser is closed');
  });

  it('without the built script the error says what to do', async () => {
    parser = new WorkerParser({ ...OPTIONS, root: folder });
    await expect(parser.parse(await put('x', 'a.txt'), never)).rejects.toThrow(/npm run build/);
  });

  const line = 'Die Behörde prüft den Antrag auf Erteilung einer Baugenehmigung für das Grundstück 4711.';
  it.each([
    ['a.txt', `${line}\n\n`],
    ['a.md', `# § 35 Begriff\n\n${line}\n\n`],
    ['a.csv', `${line};${line}\n`],
    ['a.jsonl', `${JSON.stringify({ frage: line, antwort: line })}\n`],
  ])(
    '80 MB of %s are read in a process whose heap is smaller',
    async (filename, part) => {
      const path = join(folder, filename);
      const out = createWriteStream(path);
      const block = part.repeat(Math.ceil((4 * MEGABYTE) / Buffer.byteLength(part)));
      for (let at = 0; at < 20; at++) if (!out.write(block)) await once(out, 'drain');
      out.end();
      await once(out, 'close');
      expect((await stat(path)).size).toBeGreaterThan(80 * MEGABYTE);
      let characters = 0;
      pool = new WorkerPool<WorkerProtocol>({
        script: { path: join(root, 'dist/src/adapters/parsers/parse-worker.js'), writes: null },
        workers: 1,
        memoryMb: 200,
        timeoutMs: 120_000,
      });
      await pool.use(never, (worker) =>
        worker.ask(
          { file: { path, filename }, maxBytes: MEGABYTE, ocr: null },
          (read) => {
            for (const { text } of (read as { blocks: { text: string }[] }).blocks) characters += text.length;
          },
          never,
        ),
      );
      expect(characters).toBeGreaterThan(70 * MEGABYTE);
    },
    180_000,
  );

  it('more text than a document may have is too large', async () => {
    parser = new WorkerParser({ ...OPTIONS, maxTextCharacters: MEGABYTE });
    const refused = parser.parse(await put(`${line}\n\n`.repeat(20_000), 'a.txt'), never);
    await expect(refused).rejects.toMatchObject({ reason: 'too_large', message: expect.stringContaining('1 MB') });
  });
});
