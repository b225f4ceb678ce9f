import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { registryOf, versionOf } from '../../../../test/fixtures/registry.js';
import { keywordsOf, routableVersions } from './candidates.js';
import { confidenceOf, decideRoute } from './decide-route.js';
import { readRouterConfig, RouterConfigError, routerFields } from './router-config.js';
import { scoreKeywords, stemCounts } from './score-adapter.js';

const shipped = readRouterConfig(
  readFileSync(join(import.meta.dirname, '../../../../configs/router_config.yaml'), 'utf8'),
);
const never = { explore: 0, random: () => 0 };
const candidate = (adapter: string, score: number) => ({ adapter, score, reasons: [] });
const decided = (scores: Record<string, number>, fallback: string | null = null) =>
  decideRoute(
    Object.entries(scores).map(([name, score]) => candidate(name, score)),
    shipped.thresholds,
    fallback,
    never,
  );

describe('the router configuration', () => {
  it('that is shipped has the thresholds of the original', () => {
    expect(shipped.thresholds).toEqual({ hardDomain: 1.5, confLow: 0.55, confHigh: 0.85 });
    expect(shipped.staticRules.map(({ adapter, weight }) => [adapter, weight])).toEqual([
      ['privacy_compliance_lora', 1.2],
      ['public_procurement_lora', 1.1],
      ['finance_admin_lora', 1],
    ]);
    expect(readRouterConfig(JSON.stringify(routerFields(shipped)))).toEqual(shipped);
    expect(readRouterConfig('').thresholds).toEqual(shipped.thresholds);
  });

  it.each([
    ['thresholds: {hard_domain: x}', /hard_domain: "x" is not a number/],
    ['thresholds: {conf_low: 0.9}', /conf_low: is above conf_high/],
    ['thresholds: {conf_high: 2}', /conf_high: 2 is above 1/],
    ['thresholds: []', /thresholds: must be a section/],
    ['treshholds: {}', /treshholds: is not known/],
    ['options: {default: x}', /options.default: is not known/],
    ['options: {use_domain_score: 1}', /use_domain_score: 1 is not true or false/],
    ['static_rules: [{words: [a]}]', /static_rules\[0\].adapter: is missing/],
    ['static_rules: [{adapter: a}]', /static_rules\[0\].words/],
    ['static_rules: {}', /must be a list/],
    ['a: [', /cannot be read/],
  ])('refuses %s', (text, message) => {
    expect(() => readRouterConfig(text)).toThrow(RouterConfigError);
    expect(() => readRouterConfig(text)).toThrow(message);
  });
});

describe('keywords', () => {
  const score = (text: string, ...words: string[]) =>
    scoreKeywords(
      stemCounts(text),
      words.map((word) => ({ word, weight: 1.1 })),
    );

  it.each([
    ['Wann beginnt das Vergabeverfahren?', 'vergabe', 1],
    ['Die Vergaben und die Vergabe', 'vergabe', 2],
    ['vergeben und vergessen', 'vergabe', 0],
    ['Nach der DSGVO gilt', 'dsgvo', 1],
    ['Datenschutzbeauftragte', 'datenschutz', 1],
    ['der Haushaltsplan', 'Haushalt', 1],
    ['Die Öffentliche Vergabe', 'öffentliche vergabe', 1],
    ['Die Vergabe', 'öffentliche vergabe', 0],
    ['', 'vergabe', 0],
    ['VOB/A und GWB', 'gwb', 1],
  ])('%s holds %s %i times', (text, word, times) => expect(score(text, word).score).toBeCloseTo(times * 1.1));

  it('are told', () => expect(score('Vergabe und Vergaben', 'vergabe', 'vob').found).toEqual(['vergabe x2']));
});

describe('which versions are asked', () => {
  const old = versionOf(1, { name: 'vergabe-lora-r16-v1', domains: ['vergabe'] });
  const fresh = versionOf(2, { name: 'vergabe-lora-r16-v2', domains: ['vergabe'] });
  const other = versionOf(3, { name: 'recht-lora-r8-v1', domains: ['recht'] });
  const foreign = versionOf(4, { name: 'fremd-lora-r8-v1', base: 'llama' });
  const all = [foreign, other, fresh, old];

  it('are the newest of each family, or the one an alias points at, of this base alone', () => {
    expect(routableVersions(registryOf(all), 'gemma').map(({ name }) => name)).toEqual([other.name, fresh.name]);
    const live = registryOf(all, [{ alias: 'champion', versionId: old.id, splits: [] }]);
    expect(routableVersions(live, 'gemma').map(({ name }) => name)).toEqual([other.name, old.name]);
  });

  it('are spoken for by their domains and by the rules that name them', () => {
    const named = registryOf(all, [{ alias: 'public_procurement_lora', versionId: old.id, splits: [] }]);
    expect(keywordsOf(old, named, shipped).map(({ word, weight }) => `${word} ${weight}`)).toEqual([
      'vergabe 1',
      'vergabe 1.1',
      'gwb 1.1',
      'vob 1.1',
    ]);
    expect(keywordsOf(fresh, named, shipped).length).toBe(1);
    const without = { ...shipped, options: { ...shipped.options, enableStaticRules: false } };
    expect(keywordsOf(old, named, without).length).toBe(1);
  });
});

describe('the decision', () => {
  it('follows the formula of the original', () => {
    expect(confidenceOf(1, 0)).toBe(0.99);
    expect(confidenceOf(1, 0.5)).toBeCloseTo(0.5);
    expect(confidenceOf(1, 0.25)).toBeCloseTo(0.731, 3);
    expect(confidenceOf(1, 1)).toBeCloseTo(0.119, 3);
  });

  it.each([
    [{ a: 1.5, b: 1.4 }, 'a', false],
    [{ a: 1, b: 0 }, 'a', false],
    [{ a: 1, b: 0.9 }, null, true],
    [{ a: 1, b: 0.4 }, 'a', false],
    [{ a: 0, b: 0 }, null, true],
    [{}, null, true],
    [{ b: 1.5, a: 1.5 }, 'a', false],
  ])('of %j is %s', (scores, adapter, fallback) => {
    expect(decided(scores)).toMatchObject({ adapter_id: adapter, fallback, ...(fallback ? { confidence: 0 } : {}) });
  });

  it('falls back to the default, and says why', () => {
    expect(decided({ a: 1, b: 0.9 }, 'house')).toEqual({
      adapter_id: 'house',
      confidence: 0,
      fallback: true,
      rationale: 'confidence 0.168 is below 0.55: a 1 before b 0.9',
    });
  });

  it('explores only where it is told to, and neither sure nor unsure', () => {
    const explore = { explore: 0.5, random: () => 0.4 };
    const pick = (a: number, b: number) =>
      decideRoute([candidate('a', a), candidate('b', b)], shipped.thresholds, null, explore).adapter_id;
    expect([pick(1, 0.4), pick(1, 0.05), pick(1, 0.9), pick(1.6, 1)]).toEqual(['b', 'a', null, 'a']);
  });
});
