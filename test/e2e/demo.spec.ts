import { createServer } from 'node:net';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, Place } from '../fixtures/command.js';
import { processesOf } from '../fixtures/processes.js';
import { eventually } from '../fixtures/waiting.js';

const TRAINED_MS = 900_000;

import.meta.jest.setTimeout(TRAINED_MS);

describe('npm run demo', () => {
  let place: Place;

  beforeAll(async () => {
    place = await Place.make();
  });

  afterAll(() => place.remove());

  const run = (options: string[], env = {}): Command =>
    Command.run(['scripts/demo.mjs', ...options], { env: { ...place.env, ...env } });
  const datasetOf = ({ output }: Command): string => {
    const [, reference, rows] = /(dataset:\S+)\n {2}(.*)/.exec(output) ?? [];
    return `${reference}: ${rows}; ${/SHA-256 \w+/.exec(output)?.[0]}`;
  };
  const nothingIsLeft = () =>
    eventually('nothing of it runs', async () => (await processesOf(place.folder)).length === 0, 30_000);

  it('saves and ends on Ctrl-C, and the next one goes on and shows what was gained', async () => {
    const first = run([]);
    await first.prints(/step \d+\/\d+/, TRAINED_MS);
    first.child.kill('SIGINT');
    expect(await first.ended).toEqual({ code: 0, signal: null });
    expect(first.output).toMatch(/Documents: 18 from data-samples\/documents in \d+\.\d s, \d{3} chunks/);
    expect(first.output).toMatch(
      /1\. 1\.00 .*\(fragen-fristen\.md\)\n.*\n {5}why: keyword 1\.; words: Widerspruchsfrist/,
    );
    expect(first.output.match(/^ {2}\d\. \d\.\d\d /gm)).toHaveLength(3);
    const dataset = datasetOf(first);
    expect(dataset).toMatch(/^dataset:[\w-]{36}@1: \d\d\d questions .*, quality 0\.\d\d; SHA-256 [0-9a-f]{64}$/);
    await nothingIsLeft();

    const second = run(['--exit']);
    expect(await second.ended).toEqual({ code: 0, signal: null });
    const id = /job ([\w-]{36})/.exec(first.output)?.[1] ?? '';
    expect(second.output).toContain(`Going on with job ${id}`);
    // Known bytes are known documents, and the same request is the same dataset.
    expect(second.output).toContain('Documents: 18 from');
    expect(datasetOf(second)).toBe(dataset);
    const adapter = join(place.folder, 'data', 'models', id);
    expect(second.output).toContain(`lies in ${adapter}`);
    expect(JSON.parse(await readFile(join(adapter, 'adapter_config.json'), 'utf8'))).toMatchObject({
      peft_type: 'LORA',
    });
    const [, before, after] = /loss (\d+\.\d+) -> (\d+\.\d+)/.exec(second.output) ?? [];
    expect(Number(after)).toBeLessThan(Number(before));
    // The base and the new version, each by its own name.
    expect(second.output).toMatch(/\n {2}clara-base: .*\n {2}ft:clara-base:clara:[\w-]*:[0-9a-f]{12}: \S/);
    await nothingIsLeft();
  });

  it('names a port that is taken, with the setting that moves it, before anything is started', async () => {
    const port = Number(place.env['CLARA_METRICS_PORT']);
    const other = createServer().listen(port, '127.0.0.1');
    const demo = run(['--exit']);
    expect(await demo.ended).toEqual({ code: 1, signal: null });
    expect(demo.output).toContain(`port ${port}: set CLARA_METRICS_PORT`);
    other.close();
  });

  it('ends with status 1 and the reason when the job cannot be trained', async () => {
    const demo = run(['--exit'], { CLARA_BASE_MODEL: join(place.folder, 'no-such-model') });
    expect((await demo.ended).code).toBe(1);
    expect(demo.output).toContain('CLARA_BASE_MODEL');
    await nothingIsLeft();
  });
});
