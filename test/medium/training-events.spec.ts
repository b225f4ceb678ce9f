import pg from 'pg';
import type { PostgresConnection } from '../../src/adapters/postgres/data-source.js';
import type { JobEvent } from '../../src/modules/training/job-events.port.js';
import { oneTo } from '../fixtures/jobs.js';
import { newJob, Queue } from '../fixtures/queue.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

const WRITERS = 20;
const EVENTS_EACH = 60;

/** What a writer does: events of one job, each in a transaction that stays open for a random moment. */
async function write(
  connection: PostgresConnection,
  jobId: string,
  marks: string[],
  killed: () => boolean,
): Promise<void> {
  const client = new pg.Client(connection);
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (const mark of marks) {
      if (killed()) return;
      await client.query('BEGIN');
      const { rows } = await client.query<{ last_event: number }>(
        'UPDATE training_jobs SET last_event = last_event + 1 WHERE job_id = $1 RETURNING last_event',
        [jobId],
      );
      await client.query(
        `INSERT INTO training_job_events (job_id, number, time, type, data) VALUES ($1, $2, now(), $3, '{"job": {}}')`,
        [jobId, rows[0]?.last_event, mark],
      );
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
      await client.query('COMMIT');
    }
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Reads on from the last stream number seen, as every listener does, until told to end; keeps what it saw. */
class Follower {
  readonly seen: JobEvent[] = [];
  #ended = false;
  readonly #done: Promise<void>;

  constructor(private readonly queue: Queue) {
    this.#done = this.#follow();
  }

  async end(): Promise<JobEvent[]> {
    this.#ended = true;
    await this.#done;
    return this.seen;
  }

  async #follow(): Promise<void> {
    for (;;) {
      const last = this.#ended;
      const batch = await this.queue.feed.read(this.seen.at(-1)?.stream ?? 0, 500);
      this.seen.push(...batch);
      if (last && batch.length === 0) return;
    }
  }
}

describe('the numbered event log', () => {
  let databases: TestDatabases;
  let connection: PostgresConnection;
  let queue: Queue;

  beforeEach(async () => {
    connection = await databases.create();
    queue = new Queue(await databases.source(connection));
  });
  beforeAll(async () => {
    databases = await TestDatabases.open();
  });
  afterEach(async () => {
    await queue.close();
    await queue.source.destroy();
  });
  afterAll(() => databases.close());

  const jobs = () => Promise.all(Array.from({ length: 5 }, () => queue.store.create(newJob())));
  const numberAll = () =>
    eventually('every event has its number', async () => {
      queue.news.eventsWritten();
      const [row] = (await queue.source.query(
        'SELECT count(*)::int AS open FROM training_job_events WHERE stream IS NULL',
      )) as { open: number }[];
      return row?.open === 0;
    });
  const stored = async () => {
    const rows: unknown = await queue.source.query('SELECT job_id, number, type FROM training_job_events');
    return rows as Pick<JobEvent, 'job_id' | 'number' | 'type'>[];
  };

  /** A reader that never looked back saw every stored event once, in order, of all jobs and of each. */
  async function expectWhole(seen: JobEvent[]): Promise<void> {
    const all = await stored();
    const streams = seen.map(({ stream }) => stream);
    expect(streams).toEqual([...streams].toSorted((a, b) => a - b));
    expect(new Set(streams).size).toBe(streams.length);
    const name = ({ job_id, number, type }: Pick<JobEvent, 'job_id' | 'number' | 'type'>) =>
      `${job_id} ${number} ${type}`;
    expect(seen.map(name).toSorted()).toEqual(all.map(name).toSorted());
    for (const id of new Set(all.map(({ job_id }) => job_id))) {
      const numbers = seen.filter(({ job_id }) => job_id === id).map(({ number }) => number);
      expect(numbers).toEqual(oneTo(numbers.length));
    }
  }

  it('misses nothing with 20 writers and a following reader', async () => {
    const ids = (await jobs()).map(({ job_id }) => job_id);
    const follower = new Follower(queue);
    const ring = setInterval(() => queue.news.eventsWritten(), 5);
    await Promise.all(
      Array.from({ length: WRITERS }, (_, writer) =>
        write(
          connection,
          ids[writer % ids.length] ?? '',
          oneTo(EVENTS_EACH).map((n) => `${writer}-${n}`),
          () => false,
        ),
      ),
    );
    clearInterval(ring);
    await numberAll();
    const seen = await follower.end();
    expect(seen).toHaveLength(WRITERS * EVENTS_EACH + ids.length);
    await expectWhole(seen);
    for (let writer = 0; writer < WRITERS; writer += 1) {
      const own = seen
        .filter(({ type }) => type.startsWith(`${writer}-`))
        .map(({ type }) => Number(type.split('-')[1]));
      expect(own).toEqual(oneTo(EVENTS_EACH));
    }
  });

  it('stays whole while writers are killed in the middle of their transactions', async () => {
    const ids = (await jobs()).map(({ job_id }) => job_id);
    const follower = new Follower(queue);
    let over = false;
    const ring = setInterval(() => queue.news.eventsWritten(), 5);
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let life = 0; !over; life += 1)
        await write(
          connection,
          ids[writer % ids.length] ?? '',
          oneTo(50).map((n) => `${writer}/${life}-${n}`),
          () => over,
        ).catch(() => undefined);
    });
    for (let kills = 0; kills < 40; kills += 1) {
      await new Promise((resolve) => setTimeout(resolve, 15));
      await queue.source.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = '' AND state = 'idle in transaction' ORDER BY random() LIMIT 1`,
      );
    }
    over = true;
    await Promise.all(writers);
    clearInterval(ring);
    await numberAll();
    await expectWhole(await follower.end());
  });

  it('is numbered once by several applications', async () => {
    const others = [new Queue(queue.source), new Queue(queue.source)];
    await Promise.all(
      [queue, ...others].flatMap((each) => Array.from({ length: 30 }, () => each.store.create(newJob()))),
    );
    await numberAll();
    await expectWhole(await new Follower(queue).end());
    await Promise.all(others.map((other) => other.close()));
  });

  it('is read by job and by page', async () => {
    const { job_id } = await queue.queued();
    await queue.queued();
    await numberAll();
    expect((await queue.feed.readJob(job_id, 0, 1)).map(({ type }) => type)).toEqual(['created']);
    expect((await queue.feed.readJob(job_id, 1, 10)).map(({ type }) => type)).toEqual(['queued']);
    expect((await queue.feed.read(0, 10, job_id)).map(({ number }) => number)).toEqual([1, 2]);
    expect(await queue.feed.newest()).toBe(4);
    expect(await queue.feed.oldest()).toBe(1);
  });

  it('shows with each event the state right after it', async () => {
    const job = await queue.queued();
    const [created, queued] = await queue.feed.readJob(job.job_id, 0, 10);
    expect(created?.data.job).toMatchObject({ status: 'pending', progress_percent: 0 });
    expect(queued?.data.job).toMatchObject({ status: 'queued' });
    expect(await queue.feed.snapshots(job.job_id)).toMatchObject({ jobs: [{ job_id: job.job_id, status: 'queued' }] });
  });
});
