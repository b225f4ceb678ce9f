import { join } from 'node:path';
import { App } from '../fixtures/app.js';
import { processesOf } from '../fixtures/processes.js';
import { root } from '../fixtures/trainer.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

const standIn = join(root, 'test', 'fixtures', 'vllm-stand-in.mjs');
const body = { model: 'gemma', messages: [{ role: 'user', content: 'Frage' }], max_tokens: 4 };

describe('a vLLM that the application has started', () => {
  let app: App;

  afterEach(() => app.dispose());

  it('ends when the application is killed', async () => {
    const mark = `mark-${process.pid}-${Date.now()}`;
    app = await App.start({
      env: {
        CLARA_SERVING_ENGINE: 'vllm',
        CLARA_BASE_MODEL: 'google/gemma',
        CLARA_VLLM_COMMAND: `${process.execPath} ${standIn} --base gemma --mark ${mark}`,
      },
    });
    const answer = await app.call('POST', '/v1/chat/completions', { body });
    expect([answer.status, answer.headers.get('x-clara-replica')]).toEqual([200, 'vllm']);
    expect((await processesOf(mark)).length).toBeGreaterThan(0);
    await app.kill('SIGKILL');
    await eventually('nothing of it is left', async () => (await processesOf(mark)).length === 0);
  });
});
