import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openAiProgram } from '../fixtures/openai-python.js';
import { OpenAiSite, playRows } from '../fixtures/openai-site.js';
import { blocksRunBy } from '../fixtures/readme.js';

import.meta.jest.setTimeout(400_000);

describe("a program for OpenAI's API in Python", () => {
  let site: OpenAiSite;

  beforeAll(async () => {
    site = await OpenAiSite.start();
  }, 120_000);
  afterAll(() => site.app.dispose());

  it('runs with another base URL and nothing else changed', async () => {
    const rows = join(site.app.folder, 'rows.jsonl');
    await writeFile(rows, playRows({ steps: 6 }));
    expect(await openAiProgram('openai_client.py', [site.url, 'stand-in', rows], 120_000)).toEqual({
      same_bytes: true,
      listed: true,
      status: 'succeeded',
      model: expect.stringMatching(/^ft:stand-in:clara:py:[0-9a-f]{12}$/),
      n_epochs: 2,
      events: true,
      checkpoints: [6, 4, 2],
      results: 'step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy',
      by_metadata: true,
      errors: {
        unknown_model: ['NotFoundError', 'model'],
        unknown_file: ['NotFoundError', 'id'],
        bad_value: ['BadRequestError', 'hyperparameters.n_epochs'],
        other_body: ['ConflictError', 'idempotency-key'],
        ended: ['BadRequestError', 'fine_tune_id'],
      },
      deleted: true,
    });
  });

  it.each(['README.md', 'docs/FINE-TUNING.md'])('runs as %s shows it', async (page) => {
    const blocks = await blocksRunBy('test/e2e/openai-python.spec.ts', page);
    expect(blocks).toHaveLength(1);
    const rows = join(site.app.folder, 'shown.jsonl');
    await writeFile(rows, playRows({ steps: 2 }));
    const shown = (blocks[0] ?? '')
      .replace('http://127.0.0.1:45682/v1', site.url)
      .replace('clara-base', 'stand-in')
      .replace('"rows.jsonl"', JSON.stringify(rows))
      .replace(/^print\(.*\)$/m, '');
    const program = join(site.app.folder, 'shown.py');
    await writeFile(program, `${shown}\nprint(job.model_dump_json(include={"id", "model"}))\n`);
    const { id, model } = await openAiProgram(program, [], 120_000);
    expect(model).toBe('stand-in');
    await site.until(String(id), 'succeeded');
  });
});
