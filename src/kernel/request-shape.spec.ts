import type { IncomingMessage } from 'node:http';
import { checkBytes, checkHead, checkParsed } from './request-shape.js';

const request = (headers: Record<string, string>, url = '/'): IncomingMessage =>
  ({ url, headers, rawHeaders: Object.entries(headers).flat() }) as unknown as IncomingMessage;

const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

describe('the head of a request', () => {
  it.each([
    ['application/json'],
    ['Application/JSON; charset=utf-8'],
    ['application/merge-patch+json'],
    ['application/ocsp-request'],
  ])('with a body of %s is read', (type) =>
    expect(() => checkHead(request({ 'content-type': type, 'content-length': '2' }))).not.toThrow(),
  );

  it.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['application/jsonp'],
    ['x; application/json'],
    [''],
  ])('with a body of "%s" is refused', (type) => {
    for (const length of [{ 'content-length': '2' }, { 'transfer-encoding': 'chunked' }])
      expect(() => checkHead(request({ 'content-type': type, ...length }))).toThrow(
        expect.objectContaining({ status: 415 }),
      );
  });

  it('with a form is read where the route takes forms', () => {
    const form = { 'content-type': 'multipart/form-data; boundary=x', 'content-length': '2' };
    const takesForm = (url: string): boolean => url === '/form';
    expect(() => checkHead(request(form, '/form'), takesForm)).not.toThrow();
    expect(() => checkHead(request(form, '/other'), takesForm)).toThrow(expect.objectContaining({ status: 415 }));
    expect(() => checkHead(request(form, '/form'))).toThrow(expect.objectContaining({ status: 415 }));
  });

  it('without a body may say any type', () => {
    expect(() => checkHead(request({ 'content-type': 'text/plain' }))).not.toThrow();
    expect(() => checkHead(request({ 'content-type': 'text/plain', 'content-length': '0' }))).not.toThrow();
  });

  it('has no zero character in its query', () => {
    expect(() => checkHead(request({}, '/x?a=1&b=%00'))).toThrow(expect.objectContaining({ status: 400 }));
    expect(() => checkHead(request({}, '/x?a=1&b=%01'))).not.toThrow();
  });

  it('has an end', () => {
    expect(() => checkHead(request({}, `/${'a'.repeat(4095)}`))).not.toThrow();
    expect(() => checkHead(request({}, `/${'a'.repeat(4096)}`))).toThrow(expect.objectContaining({ status: 414 }));
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`x-${index}`, '1']));
    expect(() => checkHead(request(many))).toThrow(expect.objectContaining({ status: 431 }));
  });
});

describe('the body of a request', () => {
  it('is UTF-8', () => {
    expect(() => checkBytes(Buffer.from('{"a":"ä€😀"}'), 'utf-8')).not.toThrow();
    expect(() => checkBytes(Buffer.from([0x22, 0xff, 0x22]), 'utf-8')).toThrow('not valid UTF-8');
    expect(() => checkBytes(Buffer.from('{}'), 'utf-16')).toThrow(expect.objectContaining({ status: 415 }));
  });

  it('is no deeper than 32 levels', () => {
    expect(() => checkParsed(nested(32))).not.toThrow();
    expect(() => checkParsed(nested(33))).toThrow('deeper than 32 levels');
    expect(() => checkParsed(nested(100_000))).toThrow('deeper than 32 levels');
  });

  it('is text that the database can hold', () => {
    for (const text of ['{"tags":["a\\u0000b"]}', '["\\ud800"]', '{"\\udc00":1}', '"\\u0000"'])
      expect(() => checkParsed(JSON.parse(text))).toThrow('half a surrogate pair');
    expect(() => checkParsed(JSON.parse('["\\ud83d\\ude00", "😀", "\\n\\u0001"]'))).not.toThrow();
  });

  it('reaches no prototype', () => {
    expect(() => checkParsed(JSON.parse('{"tags":[{"a":{"__proto__":{"isAdmin":true}}}]}'))).toThrow('"__proto__"');
    expect(() => checkParsed(JSON.parse('{"tags":["__proto__"]}'))).not.toThrow();
    expect(() => checkParsed(undefined)).not.toThrow();
  });
});
