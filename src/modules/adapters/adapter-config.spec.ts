import { checkPlain, loraConfigOf } from './adapter-config.js';

const plain = { peft_type: 'LORA', r: 8, base_model_name_or_path: 'org/model', modules_to_save: null, bias: 'none' };

describe('adapter_config.json', () => {
  it('says what kind of LoRA it is', () => {
    expect(loraConfigOf({ ...plain, rank_pattern: { q_proj: 32 }, use_dora: true, revision: 'abc' })).toEqual({
      base: 'org/model',
      revision: 'abc',
      r: 8,
      rank: 32,
      rankPattern: { q_proj: 32 },
      transposed: false,
      dora: true,
    });
    expect(loraConfigOf({ peft_type: 'LORA', r: 1 }).base).toBeNull();
  });

  it.each([
    [{ ...plain, peft_type: 'IA3' }, /peft_type is "IA3"/],
    [{ r: 8 }, /peft_type is null/],
    [{ ...plain, r: 0 }, /r is 0/],
    [{ ...plain, r: '8' }, /r is "8"/],
    [{ ...plain, rank_pattern: { q_proj: -1 } }, /rank_pattern of q_proj/],
  ])('is refused: %j', (config, why) => expect(() => loraConfigOf(config)).toThrow(why));

  it.each([
    [{ modules_to_save: ['lm_head'] }, /modules_to_save/],
    [{ layer_replication: [[0, 4]] }, /layer_replication/],
    [{ trainable_token_indices: [1] }, /trainable_token_indices/],
    [{ bias: 'all' }, /bias is "all"/],
    [{ init_lora_weights: 'pissa' }, /changes the base/],
  ])('is refused from others: %j', (change, why) => expect(() => checkPlain({ ...plain, ...change })).toThrow(why));

  it('is taken from others where nothing more is in it', () => {
    expect(() => checkPlain({ ...plain, modules_to_save: [], init_lora_weights: true })).not.toThrow();
  });
});
