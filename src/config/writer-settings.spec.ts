import { readSettings } from './settings.js';

const read = (env: Record<string, string>) => readSettings({ CLARA_SECURITY_MODE: 'debug', ...env }, '/');

describe('the settings of the model that writes questions', () => {
  it('are none by default', () => {
    expect(read({}).writer).toMatchObject({ server: undefined, atOnce: 4, timeoutMs: 120_000, grounding: 0.6 });
  });

  it('name a server, its model and a key that is shown nowhere', () => {
    const settings = read({
      CLARA_WRITER_URL: 'http://127.0.0.1:8000/v1/',
      CLARA_WRITER_MODEL: 'klein',
      CLARA_WRITER_API_KEY: 'sk-geheim-123',
      CLARA_WRITER_DEADLINE_SECONDS: '0.5',
    });
    expect(settings.writer).toMatchObject({
      server: { url: 'http://127.0.0.1:8000/v1', model: 'klein', apiKey: 'sk-geheim-123' },
      deadlineMs: 500,
    });
    expect(settings.mask.text('key sk-geheim-123')).toBe('key ***');
  });

  it('name the application itself, without a key', () => {
    const { writer } = read({ CLARA_WRITER_URL: 'self', CLARA_WRITER_MODEL: 'champion' });
    expect(writer.server).toEqual({ is: 'own', model: 'champion' });
  });

  it.each([
    [{ CLARA_WRITER_URL: 'self' }, 'CLARA_WRITER_MODEL: is missing'],
    [
      { CLARA_WRITER_URL: 'self', CLARA_WRITER_MODEL: 'champion', CLARA_WRITER_API_KEY: 'sk-geheim-123' },
      'CLARA_WRITER_API_KEY: is of no use with CLARA_WRITER_URL=self',
    ],
    [{ CLARA_WRITER_URL: 'myself', CLARA_WRITER_MODEL: 'champion' }, 'nor is it self'],
    [{ CLARA_WRITER_URL: 'http://127.0.0.1:8000' }, 'CLARA_WRITER_MODEL: is missing'],
    [{ CLARA_WRITER_MODEL: 'klein' }, 'CLARA_WRITER_MODEL: is of no use without CLARA_WRITER_URL'],
    [{ CLARA_WRITER_API_KEY: 'sk-geheim-123' }, 'CLARA_WRITER_API_KEY: is of no use without CLARA_WRITER_URL'],
    [{ CLARA_WRITER_URL: 'http://me:secret@host' }, 'CLARA_WRITER_URL: '],
    [{ CLARA_WRITER_GROUNDING: '1.5' }, 'CLARA_WRITER_GROUNDING: '],
  ])('tell what is wrong with %j', (env, problem) => {
    expect(() => read(env)).toThrow(problem);
  });
});
