import { createServer } from 'node:net';
import { Command, Place } from '../fixtures/command.js';
import { processesOf } from '../fixtures/processes.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

const debug = { CLARA_SECURITY_MODE: 'debug' };

describe('npm start', () => {
  let place: Place;
  let command: Command | undefined;

  beforeEach(async () => {
    place = await Place.make();
  });

  afterEach(async () => {
    await command?.stop();
    command = undefined;
    await place.remove();
  });

  const run = (script: string, more: { env?: Record<string, string | undefined>; input?: string } = {}): Command => {
    command = Command.run([`scripts/${script}.mjs`], { ...more, env: { ...place.env, ...more.env } });
    return command;
  };
  const isUp = () => eventually('/health answers', () => place.isHealthy());

  it('runs the application, and ends it on Ctrl-C with exit status 0, however often the signal comes', async () => {
    const started = run('start', { env: debug });
    await isUp();
    started.child.kill('SIGINT');
    started.child.kill('SIGINT');
    expect(await started.ended).toEqual({ code: 0, signal: null });
    expect(started.output).toContain('"msg":"stopping"');
    await eventually('nothing of it runs', async () => (await processesOf(place.folder)).length === 0);
  });

  it('passes SIGTERM on', async () => {
    const started = run('start', { env: debug });
    await isUp();
    started.child.kill('SIGTERM');
    expect(await started.ended).toEqual({ code: 0, signal: null });
  });

  it('keeps the exit status of the application, which says what is missing', async () => {
    const started = run('start', { env: { CLARA_SECURITY_MODE: undefined } });
    expect(await started.ended).toEqual({ code: 78, signal: null });
    expect(started.output).toContain('CLARA_SECURITY_MODE: is not set');
  });

  it('names the port that is taken, and its setting', async () => {
    const port = Number(place.env['CLARA_DATASET_PORT']);
    const other = createServer().listen(port, '127.0.0.1');
    const started = run('start', { env: debug });
    expect(await started.ended).toEqual({ code: 1, signal: null });
    expect(started.output).toMatch(new RegExp(`Port ${port} .* CLARA_DATASET_PORT`));
    other.close();
  });

  it('asks for the mode when started interactively', async () => {
    const started = run('start-interactive', { env: { CLARA_SECURITY_MODE: undefined }, input: '9\n1\n' });
    await isUp();
    expect(started.output).toContain('1) DEBUG mode');
    expect(started.output).toContain('"9" is none of 1, 2, 3');
    started.child.kill('SIGINT');
    expect(await started.ended).toEqual({ code: 0, signal: null });
  });

  it('hands a mode whose settings are not complete to the application, which refuses it', async () => {
    const started = run('start-interactive', { input: '3\n' });
    expect(await started.ended).toEqual({ code: 78, signal: null });
    expect(started.output).toContain('CLARA_PKI_PASSPHRASE: is missing');
  });

  it('starts nothing when no mode is chosen', async () => {
    const started = run('start-interactive');
    expect(await started.ended).toEqual({ code: 1, signal: null });
    expect(started.output).toContain('No security mode was chosen');
  });
});
