import { createHash } from 'node:crypto';
import { canonical, GENESIS, linkHash, type StoredRow } from './chain.js';

const row: StoredRow = {
  id: '7',
  time: '1764000000123456',
  actor: null,
  roles: '{admin}',
  via: 'token',
  certificate: null,
  action: 'training.job.create',
  target_type: 'training_job',
  target_id: 'ä',
  outcome: 'done',
  address: '::1',
  request_id: '',
  detail: '{"a": 1}',
};
const form =
  '1:7;16:1764000000123456;-;7:{admin};5:token;-;19:training.job.create;12:training_job;2:ä;4:done;3:::1;0:;8:{"a": 1};';

describe('the canonical form of an audit row', () => {
  it('is this text, with lengths in bytes', () => {
    expect(canonical(row)).toBe(form);
  });

  it('tells NULL from an empty text, and where a text ends', () => {
    expect(canonical({ ...row, via: '' })).not.toBe(canonical({ ...row, via: null }));
    expect(canonical({ ...row, via: '1:a;', certificate: '' })).not.toBe(
      canonical({ ...row, via: '', certificate: '1:a;' }),
    );
  });

  it('is hashed behind the previous hash', () => {
    const expected = createHash('sha256').update(`${GENESIS}${form}`, 'utf8').digest('hex');
    expect(linkHash(GENESIS, row)).toBe(expected);
  });
});
