import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { LastWords } from './last-words.js';

describe('the last words of a process', () => {
  const said = (...parts: string[]): LastWords => {
    const stderr = new PassThrough();
    const words = new LastWords(stderr);
    for (const part of parts) stderr.emit('data', Buffer.from(part));
    return words;
  };

  it('are its last line, however it came', () => {
    expect(said('Traceback\n  line 1\nMemory', 'Error: 3 GB\n\n').afterEnd(1, null)).toBe(
      'it ended with code 1: MemoryError: 3 GB',
    );
    expect(said(`${'x'.repeat(5000)}\nthe end`).line).toBe('the end');
  });

  it('of a crash of Node are those of its error', async () => {
    const stderr = new PassThrough();
    const words = new LastWords(stderr);
    const child = spawn(process.execPath, ['/nowhere/worker.js'], { stdio: ['ignore', 'ignore', 'pipe'], env: {} });
    child.stderr.pipe(stderr);
    await once(child, 'close');
    expect(words.afterEnd(1, null)).toBe(`it ended with code 1: Error: Cannot find module '/nowhere/worker.js'`);
  });

  it('may be none', () => {
    expect(said().afterEnd(null, 'SIGKILL')).toBe('it ended by SIGKILL');
  });

  it('have no secrets', () => {
    expect(said('GET https://user:geheim@host/ failed').line).not.toContain('geheim');
  });
});
