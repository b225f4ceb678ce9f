import { originAllowed } from './origin.js';

describe('originAllowed', () => {
  it.each([
    [undefined, true],
    ['http://localhost', true],
    ['http://localhost:5173', true],
    ['https://127.0.0.1:45680', true],
    ['http://127.1.2.3', true],
    ['http://[::1]:3000', true],
    ['http://localhost.evil.example', false],
    ['http://evil.example/localhost', false],
    ['http://127.0.0.1.evil.example', false],
    ['http://user@localhost', false],
    ['null', false],
    ['file://', false],
    ['', false],
  ])('lets loopback pages in by default: %s -> %s', (origin, allowed) => {
    expect(originAllowed(origin, undefined)).toBe(allowed);
  });

  it('lets in exactly the configured origins, and what is no browser', () => {
    const configured = ['https://clara.example'];
    expect(originAllowed('https://clara.example', configured)).toBe(true);
    expect(originAllowed('http://clara.example', configured)).toBe(false);
    expect(originAllowed('http://localhost', configured)).toBe(false);
    expect(originAllowed(undefined, configured)).toBe(true);
    expect(originAllowed('http://localhost', [])).toBe(false);
  });
});
