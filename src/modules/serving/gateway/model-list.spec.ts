import { registryOf, versionOf } from '../../../../test/fixtures/registry.js';
import { modelList } from './model-list.js';

describe('the list of models', () => {
  const one = versionOf(1);
  const two = versionOf(2);
  const since = new Date(5000);
  const registry = registryOf(
    [two, one],
    [
      { alias: 'champion', versionId: one.id, splits: [] },
      { alias: 'challenger', versionId: two.id, splits: [] },
      { alias: 'lost', versionId: 'gone', splits: [] },
    ],
  );

  it('has bases first, then versions newest first, aliases, auto; with their lineage', () => {
    expect(
      modelList(registry, { slug: 'gemma', names: [] }, since).map(({ id, root, parent }) => [id, root, parent]),
    ).toEqual([
      ['gemma', 'gemma', null],
      [two.modelId, 'gemma', 'gemma'],
      [one.modelId, 'gemma', 'gemma'],
      ['challenger', 'gemma', two.modelId],
      ['champion', 'gemma', one.modelId],
      ['auto', 'gemma', null],
    ]);
  });

  it('goes without a base that nobody knows yet', () => {
    expect(modelList(registryOf([]), undefined, since)).toEqual([
      { id: 'auto', object: 'model', created: 5, owned_by: 'clara', root: null, parent: null },
    ]);
  });
});
