import { usageIn } from './usage.js';

describe('usage in the bytes of a reply', () => {
  it.each([
    ['{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}', { input: 7, output: 3 }],
    ['{"usage": {"completion_tokens": 3, "prompt_tokens": 7}}', { input: 7, output: 3 }],
    ['{"usage":{"prompt_tokens":8,"total_tokens":8}}', { input: 8, output: 0 }],
    ['{"choices":[{"text":"\\"prompt_tokens\\":9"}]}', undefined],
    ['{"usage":null}', undefined],
    ['', undefined],
  ])('%s', (text, usage) => expect(usageIn(Buffer.from(text))).toEqual(usage));
});
