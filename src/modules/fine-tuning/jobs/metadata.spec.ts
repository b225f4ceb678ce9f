import { metadataFilter, metadataProblem } from './metadata.js';

it.each([
  [{}, undefined],
  [{ a: 'b' }, undefined],
  [[], 'must be an object of texts'],
  ['a', 'must be an object of texts'],
  [Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, ''])), 'has 17 keys; 16 are the most'],
  [{ ['k'.repeat(65)]: '' }, 'has a key of 65 characters; 64 are the most'],
  [{ a: 1 }, 'has a value under "a" that is no text'],
  [{ a: 'x'.repeat(513) }, 'has 513 characters under "a"; 512 are the most'],
])('metadata %j', (value, problem) => expect(metadataProblem(value)).toBe(problem));

it.each([
  [{}, undefined],
  [{ limit: '2' }, undefined],
  [{ metadata: 'null' }, 'none'],
  [
    { 'metadata[a]': 'b', 'metadata[c d]': 'e' },
    { a: 'b', 'c d': 'e' },
  ],
  [{ metadata: { a: 'b' } }, { a: 'b' }],
])('the filter of %j', (query, filter) => expect(metadataFilter(query)).toEqual(filter));

it('refuses a filter that is none', () => {
  expect(() => metadataFilter({ metadata: 'x' })).toThrow('metadata: must be null, or metadata[key]=value');
  expect(() => metadataFilter({ 'metadata[a]': ['b', 'c'] })).toThrow('no text');
});
