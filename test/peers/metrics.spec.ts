import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { App } from '../fixtures/app.js';
import { Jobs } from '../fixtures/jobs.js';
import { eventually } from '../fixtures/waiting.js';
import { promtool } from './promtool.js';

import.meta.jest.setTimeout(300_000);

describe('the metrics, judged by Prometheus', () => {
  let app: App;

  beforeAll(async () => {
    app = await App.start();
  });
  afterAll(() => app.dispose());

  async function judge(metrics: string): Promise<{ code: number; words: string }> {
    const child = spawn(await promtool(), ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let words = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (words += part.toString()));
    child.stdin.end(metrics);
    const [code] = (await once(child, 'close')) as [number];
    return { code, words };
  }

  it('give promtool nothing to say, before and after a training', async () => {
    const scrape = async () => (await app.call<string>('GET', '/metrics', { port: app.ports.METRICS })).body;
    expect(await judge(await scrape())).toEqual({ code: 0, words: '' });
    const jobs = new Jobs(app);
    await jobs.until(await jobs.post({ trainer_type: 'qlora', data: { steps: 2 } }), 'completed');
    // The counter rises right after the row.
    const metrics = await eventually('the end is counted', async () => {
      const page = await scrape();
      return /^training_jobs_total\{status="completed"/m.test(page) && page;
    });
    expect(await judge(metrics)).toEqual({ code: 0, words: '' });
    for (const status of ['created', 'started', 'completed'])
      expect(metrics).toMatch(new RegExp(`^training_jobs_total\\{status="${status}",type="qlora"\\} 1$`, 'm'));
    expect(metrics).toMatch(/^active_training_jobs 0$/m);
  });
});
