import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkpointList } from './checkpoint-list.js';
import { leaveAdapter, newestFirst } from './checkpoints.js';
import type { FineTuningEvent } from './fine-tuning-jobs.port.js';

const time = new Date(0);
const event = (number: number, type: string, step: number, data: Record<string, unknown> = {}): FineTuningEvent => ({
  number,
  time,
  type,
  step,
  data,
});
const reports = [
  event(1, 'metric', 0, { when: 'before', eval_loss: 3, reward_margin: 0 }),
  event(2, 'progress', 5, { epoch: 1, total_steps: 10, loss: 2, token_accuracy: 0.4, seconds_left: 1 }),
  event(3, 'checkpoint', 5),
  event(4, 'progress', 10, { epoch: 2, loss: 1, token_accuracy: 0.6 }),
  event(5, 'metric', 10, { when: 'during', eval_loss: 1.5, token_accuracy: 0.5, reward_margin: 0.7 }),
  event(6, 'checkpoint', 10),
];

describe('the list of checkpoints', () => {
  it('has what lies on the disk and was announced, with the measures of its step', () => {
    const paths = ['/runs/job/2/checkpoints/checkpoint-10', '/runs/job/1/checkpoints/checkpoint-5'];
    expect(checkpointList([...paths, '/runs/job/2/checkpoints/checkpoint-12'], reports)).toEqual([
      {
        step: 10,
        createdAt: time,
        path: paths[0],
        metrics: { loss: 1, token_accuracy: 0.6, eval_loss: 1.5, eval_token_accuracy: 0.5, eval_reward_margin: 0.7 },
      },
      {
        step: 5,
        createdAt: time,
        path: paths[1],
        metrics: { loss: 2, token_accuracy: 0.4, eval_loss: 3, eval_reward_margin: 0 },
      },
    ]);
  });

  it('is ordered by the steps, whichever attempt made them', () => {
    expect(newestFirst(['/a/1/checkpoints/checkpoint-9', '/a/2/checkpoints/checkpoint-10'])).toEqual([
      '/a/2/checkpoints/checkpoint-10',
      '/a/1/checkpoints/checkpoint-9',
    ]);
  });
});

describe('a checkpoint that stays', () => {
  it('keeps the adapter, the tokenizer and the chat template, and nothing of the training', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'clara-checkpoint-'));
    const adapter = ['adapter_config.json', 'adapter_model.safetensors', 'chat_template.jinja', 'tokenizer.json'];
    const rest = ['optimizer.pt', 'scheduler.pt', 'rng_state_0.pth', 'training_args.bin', 'trainer_state.json'];
    await mkdir(folder, { recursive: true });
    for (const name of [...adapter, ...rest, 'clara_state.json']) await writeFile(join(folder, name), '');
    await leaveAdapter(folder);
    expect((await readdir(folder)).toSorted()).toEqual(adapter);
    await rm(folder, { recursive: true });
  });
});
