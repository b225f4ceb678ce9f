import { systemCaller } from '../security/principal.port.js';
import { mayRead, narrowed } from './readers.js';

const caller = (subject: string, ...roles: string[]) => systemCaller(subject, { roles, via: 'token' });

describe('readers', () => {
  it.each([
    [['*'], ['*'], ['*']],
    [['*'], ['role:trainer'], ['role:trainer']],
    [['role:trainer'], ['*', 'group:x'], ['role:trainer']],
    [['role:trainer', 'group:x'], ['group:x'], ['group:x']],
    [['role:trainer'], ['group:x'], []],
    [[], ['*'], []],
  ])('of %j and of %j are together %j', (a, b, both) => expect(narrowed(a, b)).toEqual(both));

  it('are the owner, whoever holds a key, and admins', () => {
    const record = { owner: 'erika', readers: ['role:trainer'] };
    expect(mayRead(record, caller('erika'))).toBe(true);
    expect(mayRead(record, caller('max', 'trainer'))).toBe(true);
    expect(mayRead(record, caller('max', 'analyst'))).toBe(false);
    expect(mayRead(record, caller('max', 'admin'))).toBe(true);
    expect(mayRead({ ...record, readers: ['*'] }, caller('max'))).toBe(true);
  });
});
