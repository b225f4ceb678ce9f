import { commandLineConnection } from './command-line.js';

describe('the database of the command line', () => {
  it('is the outside one that is named', () => {
    expect(commandLineConnection({ UDS3_POSTGRES_HOST: 'db', UDS3_POSTGRES_PORT: '6000' })).toEqual({
      host: 'db',
      port: 6000,
      user: 'clara',
      password: '',
      database: 'clara',
    });
  });

  it('is asked for where none is named', () =>
    expect(() => commandLineConnection({})).toThrow('UDS3_POSTGRES_HOST is not set'));
});
