import { randomUUID } from 'node:crypto';
import { isOurs, isSameModel, ollamaName, withoutTag } from './ollama-names.js';

describe('names at Ollama', () => {
  it('have no colon, and are known again when they are listed', () => {
    const name = ollamaName(randomUUID());
    expect(name).toMatch(/^[a-z0-9-]+$/);
    expect(isOurs(withoutTag(`${name}:latest`))).toBe(true);
  });

  it.each([
    'llama3.2:1b',
    'clara-notes',
    'clara-base:latest',
    `clara-${'0'.repeat(36)}`,
    `${ollamaName(randomUUID())}:v2`,
  ])('leave %s to its owner', (name) => expect(isOurs(withoutTag(name))).toBe(false));

  it('mean the tag latest where they have none', () => {
    expect(isSameModel('gemma3', 'gemma3:latest')).toBe(true);
    expect(isSameModel('gemma3', 'gemma3:270m')).toBe(false);
  });
});
