import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { problemsOf, Workplace } from '../../../../test/fixtures/configs/workplace.js';
import { microBatch } from './overlay.js';

const CONFIG = `
lora: { r: 16, alpha: 32 }
training: { batch_size: 4, gradient_accumulation_steps: 4, learning_rate: 3e-3, save_total_limit: 2 }
`;
const adapterConfig = (change: object = {}): string =>
  JSON.stringify({
    peft_type: 'LORA',
    r: 8,
    lora_alpha: 16,
    lora_dropout: 0.05,
    bias: 'none',
    target_modules: ['q_proj', 'v_proj'],
    modules_to_save: null,
    base_model_name_or_path: '/elsewhere/small',
    ...change,
  });

describe('a request that says more than its file', () => {
  let place: Workplace;

  beforeAll(async () => {
    place = await Workplace.make();
    await place.write('configs/test.yaml', CONFIG);
    for (const [name, text] of Object.entries({
      good: adapterConfig(),
      prompt: adapterConfig({ peft_type: 'PROMPT_TUNING' }),
      whole: adapterConfig({ modules_to_save: ['lm_head'] }),
      broken: '{',
    })) {
      await mkdir(place.at(`models/${name}`), { recursive: true });
      await writeFile(join(place.at(`models/${name}`), 'adapter_config.json'), text);
    }
  });
  afterAll(() => place.remove());

  const overlay = { values: {} };
  const start = (name: string): string => place.at(`models/${name}`);

  it.each([
    [1, 4, 1],
    [3, 4, 3],
    [6, 4, 3],
    [7, 4, 1],
    [16, 4, 4],
    [16, 1, 1],
  ])('cuts %i rows a step into micro-batches of at most %i: %i', (rows, most, expected) => {
    expect(microBatch(rows, most)).toBe(expected);
  });

  it('takes the values of an overlay in place of those of the file', async () => {
    const { config, total_epochs: epochs } = await place.post('configs/test.yaml', {
      method: 'dpo',
      overlay: {
        values: {
          'training.num_epochs': 7,
          'training.learning_rate': 0.01,
          'dpo.beta': 0.5,
          'model.base_model': 'a/b',
        },
        rowsAStep: 6,
        keptCheckpoints: 3,
      },
    });
    expect(config.run).toMatchObject({ method: 'dpo', model: { path: 'a/b' } });
    expect(config.run.training).toMatchObject({
      epochs: 7,
      learning_rate: 0.01,
      beta: 0.5,
      batch_size: 3,
      eval_batch_size: 4,
      gradient_accumulation_steps: 2,
      save_total_limit: 3,
    });
    expect(epochs).toBe(7);
  });

  it('refuses values of an overlay by the names of the keys', async () => {
    const values = { 'training.learning_rate': 0, 'training.num_epochs': -1 };
    const problems = await problemsOf(place.post('configs/test.yaml', { overlay: { values, rowsAStep: 1.5 } }));
    expect(problems).toEqual([
      'training.batch_size: 1.5 is not a whole number of at least 1',
      'training.learning_rate: 0 is not above 0',
      'training.num_epochs: -1 is not above 0',
    ]);
  });

  it('says that a section for DPO is without effect on a supervised training', async () => {
    await place.write('configs/dpo.yaml', 'dpo: { beta: 0.2 }');
    const supervised = await place.post('configs/dpo.yaml');
    expect(supervised.config.warnings.join()).toContain('the section dpo is without effect, as method is supervised');
    expect((await place.post('configs/dpo.yaml', { method: 'dpo' })).config.run.training.beta).toBe(0.2);
  });

  describe('on top of an adapter', () => {
    it('an order takes rank, scale, targets and base from it', async () => {
      await place.model('models/small');
      const { config, base_model: base } = await place.post('configs/test.yaml', {
        start_from: start('good'),
        overlay: { values: { 'model.base_model': place.at('models/small') } },
      });
      expect(config.run.adapter).toEqual({
        r: 8,
        alpha: 16,
        dropout: 0.05,
        target_modules: ['q_proj', 'v_proj'],
        bias: 'none',
        start_from: start('good'),
      });
      expect(base).toBe(place.at('models/small'));
    });

    it('without a base of its own an order takes the one made on the spot, where the adapter was made for it', async () => {
      const request = { start_from: start('good'), overlay, default_model: '/cache/models/small' };
      expect((await place.post('configs/test.yaml', request)).base_model).toBe('default');
      const gone = await problemsOf(
        place.post('configs/test.yaml', { ...request, default_model: '/cache/models/other' }),
      );
      expect(gone.join()).toContain('model.base_model: ');
    });

    it("a person's file that wants another rank is refused, key by key", async () => {
      const request = { start_from: start('good'), default_model: '/cache/models/small' };
      expect(await problemsOf(place.post('configs/test.yaml', request))).toEqual([
        'lora.r: 16 is not what the adapter of start_from has (8), and it keeps that; leave the key out',
        'lora.alpha: 32 is not what the adapter of start_from has (16), and it keeps that; leave the key out',
      ]);
      await place.write('configs/few.yaml', 'training: { num_epochs: 1 }');
      expect((await place.post('configs/few.yaml', request)).config.run.adapter.r).toBe(8);
    });

    it('another base than its own is refused', async () => {
      await place.write('configs/few.yaml', 'training: { num_epochs: 1 }');
      const request = { start_from: start('good'), default_model: '/cache/models/default-1' };
      expect(await problemsOf(place.post('configs/few.yaml', request))).toEqual([
        'model.base_model: "default-1" is not the base that the adapter of start_from was made for (small)',
      ]);
    });

    it.each([
      ['fehlt', 'start_from: fehlt is no adapter folder, or it is gone: no adapter_config.json'],
      ['prompt', 'its peft_type is "PROMPT_TUNING", not LORA'],
      ['whole', 'it has whole layers beside it (modules_to_save)'],
      ['broken', 'its peft_type is undefined, not LORA'],
    ])('%s is refused', async (name, problem) => {
      expect((await problemsOf(place.post('configs/few.yaml', { start_from: start(name) }))).join()).toContain(problem);
    });
  });
});
