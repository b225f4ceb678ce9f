import { registryOf, versionOf } from '../../../../test/fixtures/registry.js';
import { type Draw, isSplit, placeOf, resolveModel } from './model-names.js';

const base = { slug: 'gemma', names: ['google/gemma', '/srv/gemma'] };
const one = versionOf(1);
const two = versionOf(2);
const registry = registryOf(
  [two, one],
  [
    { alias: 'champion', versionId: one.id, splits: [] },
    { alias: 'canary', versionId: one.id, splits: [{ versionId: two.id, weight: 0.25 }] },
    { alias: 'lost', versionId: 'gone', splits: [] },
  ],
);
const never: Draw = { key: undefined, random: () => 0.999 };
const modelOf = (name: string, draw: Draw = never) => resolveModel(name, registry, base, draw)?.model;

describe('what a model is called', () => {
  it.each([
    ['gemma', 'gemma'],
    ['google/gemma', 'gemma'],
    ['/srv/gemma', 'gemma'],
    [one.name, one.modelId],
    [one.id, one.modelId],
    [two.modelId, two.modelId],
    ['champion', one.modelId],
    ['canary', one.modelId],
    ['lost', undefined],
    ['Gemma', undefined],
    ['', undefined],
    ['__proto__', undefined],
  ])('%s is %s', (name, model) => expect(modelOf(name)).toBe(model));

  it('splits an alias by weight, and keeps who has a key where they are', () => {
    expect(modelOf('canary', { key: undefined, random: () => 0.2499 })).toBe(two.modelId);
    expect(modelOf('canary', { key: undefined, random: () => 0.25 })).toBe(one.modelId);
    const chosen = Array.from({ length: 4000 }, (_, at) => modelOf('canary', { key: `user-${at}`, random: () => 0 }));
    const share = chosen.filter((model) => model === two.modelId).length / chosen.length;
    expect(share).toBeGreaterThan(0.22);
    expect(share).toBeLessThan(0.28);
    expect(modelOf('canary', { key: 'user-7', random: () => 0.1 })).toBe(chosen[7]);
    expect([isSplit('canary', registry), isSplit('champion', registry), isSplit('gemma', registry)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('places keys evenly', () => {
    const places = Array.from({ length: 1000 }, (_, at) => placeOf(String(at)));
    for (let tenth = 0; tenth < 10; tenth += 1)
      expect(places.filter((place) => Math.floor(place * 10) === tenth).length).toBeGreaterThan(60);
  });
});
