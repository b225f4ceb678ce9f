import type { Request, Response } from 'express';
import { refuseForeignForms } from './http-middleware.js';

const answerTo = (url: string, headers: Record<string, string>, allowed?: string[]): string => {
  const request = { url, headers: { host: 'clara.example:45678', ...headers } } as unknown as Request;
  try {
    let answer = 'nothing';
    refuseForeignForms(allowed)(request, {} as Response, () => (answer = 'read'));
    return answer;
  } catch (error) {
    return String((error as { status: number }).status);
  }
};

describe('forms of pages elsewhere', () => {
  it.each([
    ['no browser', '/upload/files', {}, 'read'],
    ['a page of this machine', '/upload/files', { origin: 'http://localhost:3000' }, 'read'],
    ['a page elsewhere', '/upload/files', { origin: 'https://evil.example' }, '403'],
    ['a page elsewhere, chunked', '/ingestion/upload/chunked/start', { origin: 'https://evil.example' }, '403'],
    ['a page elsewhere, a dataset', '/api/datasets', { origin: 'https://evil.example' }, '403'],
    ['a page elsewhere, an adapter', '/api/adapters', { origin: 'https://evil.example' }, '403'],
    ['a page without an origin', '/upload/files', { origin: 'null' }, '403'],
    ['a page of this server', '/upload/files', { origin: 'https://clara.example:45678' }, 'read'],
    ['what takes no form', '/api/training/jobs', { origin: 'https://evil.example' }, 'read'],
  ])('%s', (_, url, headers, answer) => expect(answerTo(url, headers as Record<string, string>)).toBe(answer));

  it('are read from configured origins alone', () => {
    expect(answerTo('/upload/files', { origin: 'https://amt.example' }, ['https://amt.example'])).toBe('read');
    expect(answerTo('/upload/files', { origin: 'http://localhost:3000' }, ['https://amt.example'])).toBe('403');
  });
});
