import { chunkId } from './chunk-id.js';

describe('chunkId', () => {
  it('is a UUID of version 5', () => {
    expect(chunkId('d1', 0, 'Text')).toMatch(/^[\da-f]{8}-[\da-f]{4}-5[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });

  it('stays as it is: stored ids depend on it', () => {
    expect(chunkId('d1', 0, 'Text')).toBe(chunkId('d1', 0, 'Text'));
    expect(chunkId('0193', 7, 'Übermaß')).toBe('e89ba6f2-4ad6-5c12-b9d2-4badbd0f21be');
  });

  it('differs by document, place and content', () => {
    const ids = [chunkId('d1', 0, 'a'), chunkId('d2', 0, 'a'), chunkId('d1', 1, 'a'), chunkId('d1', 0, 'b')];
    expect(new Set(ids).size).toBe(4);
    expect(chunkId('d', 11, 'a')).not.toBe(chunkId('d\n1', 1, 'a'));
  });
});
