import { baseSlug } from './base-model.js';

describe('slugs of base models', () => {
  it.each([
    ['google/gemma-3-270m', 'gemma-3-270m'],
    ['/srv/models/Leo_Base/', 'leo-base'],
    ['Meta-Llama-3.1-8B', 'meta-llama-3.1-8b'],
    ['clara-base', 'clara-base'],
    ['..', ''],
  ])('%s is %s', (name, slug) => expect(baseSlug(name)).toBe(slug));
});
