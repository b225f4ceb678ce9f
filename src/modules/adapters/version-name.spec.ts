import { baseSlug } from '../../kernel/base-slug.js';
import { domainsOf, modelIdOf, namePrefixOf, slugOf, stemOf } from './version-name.js';

describe('the names of a version', () => {
  it.each([
    ['Vergaberecht Süd', 'vergaberecht-sued'],
    ['  --Straße & Café--  ', 'strasse-cafe'],
    ['日本', ''],
    ['x'.repeat(100), 'x'.repeat(40)],
    [`${'x'.repeat(39)} y`, 'x'.repeat(39)],
  ])('make a slug of "%s"', (text, slug) => expect(slugOf(text, 40)).toBe(slug));

  it.each([
    ['LeoLM/leo-hessianai-7b', 'leo-hessianai-7b'],
    ['/srv/models/Gemma 3_270M/', 'gemma-3-270m'],
    ['org/Model.v1.5', 'model.v1.5'],
    ['C:\\models\\tiny', 'tiny'],
    ['/', 'base'],
  ])('call the base %s %s', (base, slug) => expect(baseSlug(base)).toBe(slug));

  it('are domain, method and rank', () => {
    expect(namePrefixOf('Öffentliche Vergabe', 'qlora', 16)).toBe('oeffentliche-vergabe-qlora-r16');
    expect(namePrefixOf('???', 'lora', 8)).toBe('adapter-lora-r8');
  });

  it('are an id as OpenAI makes them', () => {
    const id = '0f8fad5b-d9cb-469f-a165-70867728950e';
    const parts = { base: 'clara-base', organisation: 'clara', id };
    expect(modelIdOf({ ...parts, suffix: 'Mein Test' })).toBe('ft:clara-base:clara:mein-test:0f8fad5bd9cb');
    expect(modelIdOf({ ...parts, suffix: '' })).toBe('ft:clara-base:clara::0f8fad5bd9cb');
    expect(modelIdOf({ ...parts, suffix: 'a:b' })).toBe('ft:clara-base:clara:a-b:0f8fad5bd9cb');
  });

  it.each([
    [
      ['domain:Vergabe', 'nightly', 'Domain:GWB'],
      ['vergabe', 'gwb'],
    ],
    [['Haushalt', 'haushalt ', ''], ['haushalt']],
    [[], []],
  ])('take the domains of %j from the tags', (tags, domains) => expect(domainsOf(tags)).toEqual(domains));

  it('know the configuration by its file', () => {
    expect(stemOf('configs/lora_config.yaml')).toBe('lora_config');
  });
});
