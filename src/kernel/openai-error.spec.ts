import { AppError, type ErrorCode } from './errors.js';
import { isOpenAiPath, openAiError, openAiStatus } from './openai-error.js';

describe('errors on /v1', () => {
  it.each([
    ['invalid', 400, 'invalid_request_error', null],
    ['bad_request', 400, 'invalid_request_error', null],
    ['unauthorized', 401, 'invalid_request_error', 'invalid_api_key'],
    ['forbidden', 403, 'permission_error', 'insufficient_permissions'],
    ['not_found', 404, 'invalid_request_error', null],
    ['too_large', 413, 'invalid_request_error', null],
    ['rate_limited', 429, 'rate_limit_error', 'rate_limit_exceeded'],
    ['internal', 500, 'server_error', null],
    ['bad_gateway', 502, 'server_error', null],
    ['unavailable', 503, 'service_unavailable_error', null],
    ['timed_out', 504, 'timeout_error', null],
  ] as [ErrorCode, number, string, string | null][])('%s', (kind, status, type, code) => {
    const error = new AppError(kind, 'words');
    expect([openAiStatus(error), openAiError(error)]).toEqual([status, { message: 'words', type, param: null, code }]);
  });

  it('say which parameter, and hide secrets', () => {
    const error = new AppError('not_found', 'no hush', [{ path: 'model', message: 'no', code: 'model_not_found' }]);
    expect(openAiError(error, (text) => text.replace('hush', '***'))).toEqual({
      message: 'no ***',
      type: 'invalid_request_error',
      param: 'model',
      code: 'model_not_found',
    });
  });

  it('are answered so below /v1 alone', () => {
    expect(['/v1/models', '/v1', '/V1/x', '/api/v1/ca', '/v10'].map(isOpenAiPath)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
