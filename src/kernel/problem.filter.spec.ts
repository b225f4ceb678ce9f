import { BadRequestException, type ArgumentsHost, type HttpException, NotFoundException } from '@nestjs/common';
import { FakeLog } from '../../test/fixtures/live-feed.js';
import { AppError, codeOfStatus } from './errors.js';
import { ProblemFilter, toAppError } from './problem.filter.js';

/** What of a response the filter uses. */
class FakeResponse {
  headersSent = false;
  destroyed = false;
  code = 0;
  body = '';
  mediaType = '';
  readonly headers: Record<string, string> = {};

  setHeader(name: string, value: string): void {
    this.headers[name] = value;
  }
  status(code: number): this {
    this.code = code;
    return this;
  }
  type(mediaType: string): this {
    this.mediaType = mediaType;
    return this;
  }
  send(body: string): void {
    this.body = body;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

function answer(thrown: unknown, response = new FakeResponse()) {
  const log = new FakeLog();
  const request = { method: 'GET', path: '/x', id: 'r-1' };
  const host = { switchToHttp: () => ({ getRequest: () => request, getResponse: () => response }) };
  new ProblemFilter(log).catch(thrown, host as unknown as ArgumentsHost);
  return {
    response,
    log,
    body: response.body === '' ? undefined : (JSON.parse(response.body) as Record<string, unknown>),
  };
}

describe('the problem filter', () => {
  it('answers an error of the closed list with its words and problems', () => {
    const { response, body, log } = answer(
      new AppError('invalid', 'priority: 11 is too much', [{ path: 'priority', message: 'too much' }]),
    );
    expect([response.code, response.mediaType]).toEqual([422, 'application/problem+json']);
    expect(body).toEqual({
      type: 'about:blank',
      title: 'Invalid input',
      status: 422,
      code: 'invalid',
      detail: 'priority: 11 is too much',
      errors: [{ path: 'priority', message: 'too much' }],
      request_id: 'r-1',
    });
    expect(log.lines).toMatchObject([{ level: 'info', fields: { request_id: 'r-1' } }]);
  });

  it('keeps the words of an unknown error for the log', () => {
    const { body, log, response } = answer(new Error('password is 123'));
    expect(response.code).toBe(500);
    expect(JSON.stringify(body)).not.toContain('123');
    expect(log.lines).toMatchObject([
      { level: 'error', fields: { cause: expect.stringContaining('password is 123') } },
    ]);
    expect(answer('a thrown text').response.code).toBe(500);
    expect(answer(undefined).response.code).toBe(500);
  });

  it('tells a client when to come again while the database is away', () => {
    const { response, body } = answer(Object.assign(new Error('terminating connection'), { code: '57P01' }));
    expect([response.code, response.headers]).toEqual([503, { 'Retry-After': '5' }]);
    expect(body?.['code']).toBe('unavailable');
  });

  it('takes a missing file for an error of ours, not of the database', () => {
    const missing = Object.assign(new Error('ENOENT'), { code: 'ENOENT', syscall: 'open' });
    expect(answer(missing).response.code).toBe(500);
  });

  it.each<[HttpException, number, string]>([
    [new NotFoundException('Cannot GET /x'), 404, 'not_found'],
    [new BadRequestException('no'), 400, 'bad_request'],
  ])('takes over what the framework says: %s', (thrown, status, code) => {
    expect(toAppError(thrown)).toMatchObject({ status, code, message: thrown.message });
  });

  it('takes over what the body parser says', () => {
    expect(toAppError(Object.assign(new Error('request entity too large'), { status: 413 }))).toMatchObject({
      code: 'too_large',
      status: 413,
    });
    expect(toAppError(Object.assign(new Error('odd'), { status: 418 }))).toMatchObject({ code: 'bad_request' });
    expect(toAppError(Object.assign(new Error('odd'), { status: 502 }))).toMatchObject({ code: 'internal' });
  });

  it('cuts a connection whose answer has begun', () => {
    const begun = Object.assign(new FakeResponse(), { headersSent: true });
    expect(answer(new Error('late'), begun).response).toMatchObject({ destroyed: true, body: '' });
  });
});

describe('the code of a status', () => {
  it.each([
    [400, 'bad_request'],
    [404, 'not_found'],
    [409, 'conflict'],
    [429, 'rate_limited'],
    [418, 'bad_request'],
    [500, 'internal'],
    [504, 'timed_out'],
  ])('%i is %s', (status, code) => expect(codeOfStatus(status)).toBe(code));
});
