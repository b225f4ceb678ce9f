import type { DataSource } from 'typeorm';
import { GpuSlotHolder } from '../../src/modules/training/gpu-slot-holder.js';
import type { Host } from '../../src/modules/training/host.js';
import { Queue } from '../fixtures/queue.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(120_000);

const nobody = (): void => undefined;

describe('GPUs that something other than a job holds', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let queue: Queue;
  let holders: GpuSlotHolder[];

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
  });
  beforeEach(async () => {
    queue = new Queue(source);
    await queue.clear();
    await queue.host(2, 2);
    const host = { hostId: queue.by.hostId } as Host;
    holders = [1, 2].map(() => new GpuSlotHolder(source, host, queue.news, queue.log));
  });
  afterEach(async () => {
    for (const holder of holders) await holder.onApplicationShutdown();
    await queue.close();
  });
  afterAll(() => databases.close());

  const rows = (): Promise<{ gpu_indices: number[] }[]> =>
    source.query('SELECT gpu_indices FROM training_slot_holders ORDER BY gpu_indices');

  it('are not given twice to two applications of a host whose engines have the same name', async () => {
    const [first, second] = holders;
    const one = await first?.take('embedded', 1, nobody);
    const other = await second?.take('embedded', 1, nobody);
    expect([one?.gpus, other?.gpus]).toEqual([[0], [1]]);
    expect(await rows()).toEqual([{ gpu_indices: [0] }, { gpu_indices: [1] }]);
    await queue.queued({ gpus: 1 });
    expect(await queue.claim()).toMatchObject({ waitingFor: expect.any(String) });
    await one?.release();
    expect(await rows()).toEqual([{ gpu_indices: [1] }]);
    expect((await queue.claimed()).gpu_indices).toEqual([0]);
  });

  it('are asked back from whoever let the lease run out', async () => {
    const [first, second] = holders;
    let asked = 0;
    await first?.take('embedded', 2, () => (asked += 1));
    await source.query(`UPDATE training_slot_holders SET lease_until = now() - interval '1 second'`);
    expect((await second?.take('embedded', 2, nobody))?.gpus).toEqual([0, 1]);
    queue.news.queueChanged();
    await eventually('it was asked back', () => asked > 0);
    expect(await rows()).toEqual([{ gpu_indices: [0, 1] }]);
  });
});
