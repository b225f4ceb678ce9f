import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeLog } from '../../../test/fixtures/live-feed.js';
import { NestLog, PinoLog } from './pino-log.js';

describe('the log', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-log-'));
    import.meta.jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  });
  afterEach(async () => {
    import.meta.jest.restoreAllMocks();
    await rm(folder, { recursive: true });
  });

  it('writes one object a line to training_backend.log, from its level on', async () => {
    const log = new PinoLog({ level: 'info', folder: join(folder, 'logs') });
    log.debug('not this');
    log.info('a job came', { job: 'x' });
    log.error('broken', { error: 'no\nway' });
    await log.close();
    const lines = (await readFile(join(folder, 'logs/training_backend.log'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), service: 'clara', job: 'x', msg: 'a job came' },
      { level: 'error', time: expect.any(String), service: 'clara', error: 'no\nway', msg: 'broken' },
    ]);
  });

  it('goes on without a file that cannot be written', async () => {
    await writeFile(join(folder, 'file'), '');
    const log = new PinoLog({ level: 'info', folder: join(folder, 'file/logs') });
    for (let count = 0; count < 100; count += 1) log.info('still here');
    await new Promise((resolve) => setTimeout(resolve, 50));
    log.warn('and here');
  });

  it("takes the framework's chatter as debug, and its errors as errors", () => {
    const target = new FakeLog();
    const nest = new NestLog(target);
    nest.log('started', 'Router');
    nest.verbose('more');
    nest.warn('careful');
    nest.error(new Error('broken'));
    expect(target.lines.map(({ level, message }) => [level, message])).toEqual([
      ['debug', 'started'],
      ['debug', 'more'],
      ['warn', 'careful'],
      ['error', 'broken'],
    ]);
  });
});
