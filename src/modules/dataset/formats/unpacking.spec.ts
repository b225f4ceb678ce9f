import { BrokenLz4, unpackLz4 } from './lz4-frame.js';
import { unpackZstd } from './unpack-zstd.js';

/** Made by pyarrow. */
const TEXT = 'Die Behörde entscheidet. '.repeat(40);
const LZ4 = Buffer.from(
  '04224d1860408228000000ff0b44696520426568c3b672646520656e7473636865696465742e201a00ffffffe1506465742e2000000000',
  'hex',
);
const ZSTD = Buffer.from(
  '28b52ffd601003150100d044696520426568c3b672646520656e7473636865696465742e200100ceef6a8e01',
  'hex',
);
/** Three million zeros. */
const BOMB = Buffer.from(
  '28b52ffd8048c0c62d005400001000000100fbff39c002020010000200100002001000020010000200100002001000020010' +
    '00020010000200100002001000020010000200100002001000020010000200100002001000020010000200100002001000020010000200100003360e00',
  'hex',
);

describe('unpacking LZ4 frames', () => {
  it('gives the text, of several frames that of all', () => {
    expect(Buffer.from(unpackLz4(LZ4, 10_000)).toString()).toBe(TEXT);
    expect(Buffer.from(unpackLz4(Buffer.concat([LZ4, LZ4]), 10_000)).toString()).toBe(TEXT + TEXT);
    expect(unpackLz4(Buffer.alloc(0), 10)).toHaveLength(0);
  });

  it('takes plain blocks, sizes, checksums and frames to skip', () => {
    const head = Buffer.from('04224d18', 'hex');
    const flags = Buffer.from([0b0101_1100, 0x40, ...Buffer.alloc(8), 0]);
    const block = Buffer.from([3, 0, 0, 0x80, 97, 98, 99, 1, 2, 3, 4]);
    const skipped = Buffer.from('5f2a4d18020000004142', 'hex');
    const frame = Buffer.concat([skipped, head, flags, block, Buffer.alloc(4), Buffer.from([9, 9, 9, 9])]);
    expect(Buffer.from(unpackLz4(frame, 10)).toString()).toBe('abc');
  });

  it('repeats what stands in an earlier block, as large buffers have it', () => {
    const [first, second] = ['09000000806162636465666768', '05000000040800107a'];
    const frame = Buffer.from(`04224d18404082${first}${second}00000000`, 'hex');
    expect(Buffer.from(unpackLz4(frame, 100)).toString()).toBe('abcdefghabcdefghz');
  });

  it.each<[string, Buffer]>([
    ['in the middle', LZ4.subarray(0, -9)],
    ['in the head', LZ4.subarray(0, 5)],
    ['as something else', Buffer.from('PK\x03\x04 and more')],
    ['with a match before the start', Buffer.from('04224d186040820300000000ffff00000000', 'hex')],
  ])('tells what ends %s', (_, packed) => expect(() => unpackLz4(packed, 10_000)).toThrow(BrokenLz4));

  it('ends where more comes of it than may', () => expect(() => unpackLz4(LZ4, 1000)).toThrow('more than 1000 bytes'));
});

describe('unpacking Zstandard', () => {
  it('gives the text', () => expect(Buffer.from(unpackZstd(ZSTD, 10_000)).toString()).toBe(TEXT));

  it('ends where more comes of it than may', () => {
    expect(() => unpackZstd(BOMB, 100_000)).toThrow('more than 100000 bytes');
    expect(() => unpackZstd(ZSTD.subarray(0, -5), 10_000)).toThrow();
  });
});
