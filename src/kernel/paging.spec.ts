import { decodeCursor, encodeCursor } from './paging.js';

describe('a cursor', () => {
  it.each([0, 1, 42, 1_000_000, Number.MAX_SAFE_INTEGER])('comes back as the position %i', (position) => {
    expect(decodeCursor(encodeCursor(position))).toBe(position);
  });

  it('may stand in a URL as it is', () => expect(encodeCursor(Number.MAX_SAFE_INTEGER)).toMatch(/^[\w-]+$/));

  it.each([
    '',
    'nonsense',
    encodeCursor(-1),
    encodeCursor(1.5),
    encodeCursor(Number.NaN),
    Buffer.from('v2:5').toString('base64url'),
    Buffer.from('v1:').toString('base64url'),
  ])('that is none is refused: %j', (cursor) =>
    expect(() => decodeCursor(cursor)).toThrow(
      expect.objectContaining({ code: 'invalid', problems: [expect.objectContaining({ path: 'cursor' })] }),
    ),
  );
});
