import { readSettings } from './settings.js';

const read = (env: Record<string, string>) => readSettings({ CLARA_SECURITY_MODE: 'debug', ...env }, '/srv/clara');

describe('settings of the engines', () => {
  it('name a file for llama.cpp, and fewer answers at a time', () => {
    const { serving } = read({ CLARA_SERVING_ENGINE: 'llamacpp', CLARA_SERVING_GGUF: 'models/gemma.gguf' });
    expect(serving).toMatchObject({
      engine: 'llamacpp',
      gguf: 'models/gemma.gguf',
      maxRows: 4,
      contextTokens: 4096,
      startMs: 120_000,
    });
  });

  it('name a model for Ollama', () => {
    const env = {
      CLARA_SERVING_ENGINE: 'ollama',
      CLARA_SERVING_URLS: 'http://localhost:11434/',
      CLARA_OLLAMA_MODEL: 'hf.co/x/y:Q4',
    };
    expect(read(env).serving).toMatchObject({ urls: ['http://localhost:11434'], ollamaModel: 'hf.co/x/y:Q4' });
  });

  it.each([
    [{ CLARA_SERVING_ENGINE: 'llamacpp' }, 'CLARA_SERVING_GGUF: is missing'],
    [
      { CLARA_SERVING_ENGINE: 'llamacpp', CLARA_SERVING_GGUF: '/models/gemma' },
      'CLARA_SERVING_GGUF: "/models/gemma" is none',
    ],
    [
      { CLARA_SERVING_GGUF: 'a.gguf' },
      'CLARA_SERVING_GGUF: is of no use with CLARA_SERVING_ENGINE=embedded; did you mean llamacpp?',
    ],
    [{ CLARA_SERVING_URLS: 'http://a' }, 'did you mean vllm or ollama?'],
    [{ CLARA_SERVING_ENGINE: 'ollama', CLARA_OLLAMA_MODEL: 'a' }, 'CLARA_SERVING_URLS: is missing'],
    [{ CLARA_SERVING_ENGINE: 'ollama', CLARA_SERVING_URLS: 'http://a' }, 'CLARA_OLLAMA_MODEL: is missing'],
    [
      { CLARA_SERVING_ENGINE: 'ollama', CLARA_SERVING_URLS: 'http://a', CLARA_OLLAMA_MODEL: 'a:b:c' },
      'CLARA_OLLAMA_MODEL: "a:b:c" is none',
    ],
    [{ CLARA_SERVING_ENGINE: 'ollama', CLARA_SERVING_URLS: 'http://a/v1', CLARA_OLLAMA_MODEL: 'a' }, 'ends in /v1'],
    [{ CLARA_SERVING_ENGINE: 'vllm' }, 'CLARA_SERVING_URLS: is missing'],
  ])('refuse %j', (env, message) => {
    expect(() => read(env)).toThrow(message);
  });
});
