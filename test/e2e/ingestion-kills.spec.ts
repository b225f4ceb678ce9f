import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { App } from '../fixtures/app.js';
import { databaseOf, Documents } from '../fixtures/documents.js';
import { EmbeddingServerFixture } from '../fixtures/embedding-server.js';
import { Random } from '../fixtures/random.js';
import { differences, storedState } from '../fixtures/stored-state.js';
import { runSql } from '../fixtures/test-database.js';
import { root } from '../fixtures/trainer.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(900_000);

/** Of the laws that are made where no real ones are at hand. */
const LAWS = 10;
const NOTES = 30;
const KILLS = 10;
/** Share of a pass in which the kills fall on the average: later ones would often find that all is done. */
const BUSY = 0.6;
const SETTLED_MS = 240_000;
/** Real laws, where they are at hand: then all of them. */
const GESETZE = join(root, '../shared/data/gesetze');
/** Every third of the real laws is changed, the longest ones not. */
const LONGEST_CHANGED = 200_000;

const subjects = ['Genehmigung', 'Widerruf', 'Gebühr', 'Anhörung', 'Zustellung', 'Akteneinsicht', 'Satzung'];
const subject = (number: number): string => subjects[number % subjects.length] ?? '';

/** A law of twelve provisions, each of which refers to others. */
function lawOf(number: number): string {
  const sections = Array.from({ length: 12 }, (_, index) => {
    const other = (number + index) % LAWS;
    return `## § ${index + 1} ${subject(number + index)}sverfahren\n\n(1) Die ${subject(index)} nach § ${index + 2} ist schriftlich.\n\n(2) § ${index + 3} TG${other} und §§ 35, 48 VwVfG gelten entsprechend. ${'Die Behörde entscheidet nach Aktenlage. '.repeat(20)}\n`;
  });
  return `---\nTitle: Testgesetz ${number}\njurabk: TG${number}\n---\n\n# Testgesetz ${number}\n\n${sections.join('\n')}`;
}

const noteOf = (number: number, edition: string): string =>
  `# Vermerk ${number}\n\nDie ${subject(number)} folgt aus § ${(number % 12) + 1} TG${number % LAWS} i. V. m. Art. 20 Abs. 3 GG (${edition}).\n`;

/** The laws by their names, real or made. */
async function laws(): Promise<Map<string, string>> {
  const names = (await readdir(GESETZE).catch(() => [] as string[])).filter((name) => name.endsWith('.md')).toSorted();
  if (names.length === 0)
    return new Map(Array.from({ length: LAWS }, (_, number) => [`tg-${number}.md`, lawOf(number)]));
  const texts = await Promise.all(names.map((name) => readFile(join(GESETZE, name), 'utf8')));
  return new Map(names.map((name, index) => [name, texts[index] ?? '']));
}

async function writeFolder(folder: string): Promise<void> {
  await mkdir(join(folder, 'vermerke'), { recursive: true });
  for (const [name, text] of await laws()) await writeFile(join(folder, name), text);
  for (let number = 0; number < NOTES; number += 1)
    await writeFile(join(folder, `vermerke/${number}.md`), noteOf(number, 'erste Fassung'));
  // The same bytes under another name.
  await writeFile(join(folder, 'vermerke/abschrift.md'), noteOf(0, 'erste Fassung'));
}

async function changeFolder(folder: string): Promise<void> {
  const all = [...(await laws())];
  for (const [name, text] of all.filter(([, { length }], index) => index % 3 === 0 && length < LONGEST_CHANGED))
    await writeFile(join(folder, name), text.replaceAll('schriftlich', 'in Textform'));
  for (let number = 0; number < NOTES; number += 3)
    await writeFile(join(folder, `vermerke/${number}.md`), noteOf(number, 'zweite Fassung'));
}

function isNoAnswer(error: unknown): false {
  if (error instanceof TypeError && error.message === 'fetch failed') return false;
  throw error;
}

interface Passes {
  /** Of each time that the folder was taken in. */
  tookMs: number[];
  state: Record<string, string[]>;
}

describe('the ingestion of a folder', () => {
  const apps: App[] = [];
  let embeddings: EmbeddingServerFixture;

  beforeAll(async () => {
    embeddings = await EmbeddingServerFixture.open();
  });
  afterAll(async () => {
    for (const app of apps) await app.dispose();
    await embeddings.close();
  });

  async function start(): Promise<App> {
    const app = await App.prepare({ env: { CLARA_EMBEDDER: 'http', CLARA_EMBEDDING_URL: embeddings.url } });
    apps.push(app);
    app.env['CLARA_DOCUMENT_DIRS'] = join(app.folder, 'akten');
    await writeFolder(join(app.folder, 'akten'));
    await app.launch();
    await app.up();
    return app;
  }

  async function scan(app: App): Promise<string> {
    const body = { directory_path: join(app.folder, 'akten'), chunk_size: 12 };
    const answer = await new Documents(app).call('POST', '/upload/directory', { body });
    expect(answer.status).toBe(200);
    return String(answer.body['scan_job_id']);
  }

  /** The folder is taken in, every file has ended, and no store lacks anything. */
  async function isSettled(app: App, scanId: string): Promise<boolean> {
    const documents = new Documents(app);
    const { status } = (await documents.call('GET', `/scan/${scanId}`)).body;
    if (status !== 'completed') return false;
    const open = (await documents.call<unknown[]>('GET', '/jobs/incomplete')).body;
    if (open.length > 0) return false;
    return (await documents.list()).every(({ pending }) => pending.length === 0);
  }

  /** As if the leases of the application that was killed had run out; its database has outlived it. */
  async function letLeasesEnd(app: App): Promise<void> {
    const database = await databaseOf(app);
    await runSql(database, `UPDATE ingestion_file SET not_before = now() WHERE status = 'processing'`);
    await runSql(database, 'UPDATE ingestion_scan SET lease_until = now() WHERE ended_at IS NULL');
    await runSql(database, 'UPDATE documents_replica SET next_at = now() WHERE wanted > applied');
  }

  /** Takes the folder in, changes it and takes it in again; `disturb` runs each time while that is under way. */
  async function both(app: App, disturb: (scanId: string, pass: number) => Promise<void>): Promise<Passes> {
    const tookMs: number[] = [];
    for (const [pass, change] of [undefined, changeFolder].entries()) {
      await change?.(join(app.folder, 'akten'));
      const since = performance.now();
      const scanId = await scan(app);
      await disturb(scanId, pass);
      // A connection that was kept open may end just when it is used again.
      await eventually('everything has settled', () => isSettled(app, scanId).catch(isNoAnswer), SETTLED_MS);
      tookMs.push(Math.round(performance.now() - since));
    }
    return { tookMs, state: await storedState(await databaseOf(app)) };
  }

  /** Kills the application at random points of the time that a pass takes. */
  async function killed(app: App, { tookMs }: Passes, seed: number): Promise<{ moments: string[]; found: Passes }> {
    const random = new Random(seed);
    const moments: string[] = [];
    const found = await both(app, async (scanId, pass) => {
      const share = (BUSY * (tookMs[pass] ?? 0)) / (KILLS / 2);
      for (let count = 0; count < KILLS / 2; count += 1) {
        const afterMs = Math.round(random.next() * 2 * share);
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        moments.push(`${afterMs} ms${(await isSettled(app, scanId).catch(isNoAnswer)) ? ', settled' : ''}`);
        await app.kill('SIGKILL');
        if (count === KILLS / 2 - 1) await letLeasesEnd(app);
        await app.restart();
      }
    });
    return { moments, found };
  }

  it('that is killed ten times on the way ends as one that is left in peace, store by store', async () => {
    const calm = await start();
    const wanted = await both(calm, () => Promise.resolve());
    await calm.kill('SIGTERM');
    // The copy goes its own way where the first of its bytes is changed.
    expect(wanted.state['documents']).toHaveLength((await laws()).size + NOTES + 1);
    expect(wanted.state['waiting']).toEqual([]);
    expect(wanted.state['graph']?.length).toBeGreaterThan(500);
    expect(new Set(wanted.state['versions']?.map((row) => (JSON.parse(row) as unknown[])[1]))).toEqual(new Set([1, 2]));

    const app = await start();
    const seed = Date.now() % 1_000_000;
    const { moments, found } = await killed(app, wanted, seed);
    const told = { seed, moments, tookMs: [wanted.tookMs, found.tookMs] };
    process.stdout.write(`the ingestion was killed: ${JSON.stringify(told)}\n`);
    expect({ told, differences: differences(wanted.state, found.state) }).toEqual({ told, differences: {} });
    const originals = async (of: App): Promise<string[]> =>
      (await readdir(join(of.data, 'documents/originals'), { recursive: true })).filter((path) => path.length > 60);
    expect((await originals(app)).toSorted()).toEqual((await originals(calm)).toSorted());
    const log = await readFile(join(app.folder, 'logs/clara.log'), 'utf8').catch(() => app.output);
    expect(log).not.toContain('a store does not take a document');
    // Kills that came when all was done would have proved nothing.
    expect(moments.filter((moment) => moment.endsWith('settled')).length).toBeLessThan(KILLS / 2);
  });
});
