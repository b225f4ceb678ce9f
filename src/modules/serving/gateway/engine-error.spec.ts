import { engineError } from './engine-error.js';

const told = (status: number, body: unknown) =>
  engineError(status, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));

describe('errors of engines', () => {
  it.each([
    [
      400,
      { error: { message: 'too long', type: 'BadRequestError', param: 'messages', code: 400 } },
      400,
      'too long',
      'messages',
    ],
    [
      400,
      { object: 'error', message: 'too long', type: 'BadRequestError', param: null, code: 400 },
      400,
      'too long',
      null,
    ],
    [422, { detail: [{ loc: ['body', 'messages', 0], msg: 'missing' }] }, 400, 'messages.0: missing', null],
    [400, { detail: 'no' }, 400, 'no', null],
    [400, { error: 'model is required' }, 400, 'model is required', null],
    [500, 'Internal Server Error', 500, 'The engine answered 500 without a reason', null],
    [
      401,
      { error: { message: 'wrong key sk-1' } },
      502,
      'The engine does not take the key of CLARA (CLARA_SERVING_API_KEY)',
      null,
    ],
  ])('%s %j', (status, body, expected, message, param) => {
    const { status: given, error } = told(status, body);
    expect([given, error.message, error.param]).toEqual([expected, message, param]);
    expect(error.type).toBe(expected < 500 ? 'invalid_request_error' : 'server_error');
  });
});
