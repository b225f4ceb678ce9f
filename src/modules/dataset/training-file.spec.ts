import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkTrainingFile, UnreadableRows } from './training-file.port.js';

const chat = JSON.stringify({
  messages: [
    { role: 'user', content: 'Wer?' },
    { role: 'assistant', content: 'Ich.', weight: 0 },
    { role: 'user', content: 'Wirklich?' },
    { role: 'assistant', content: 'Ja.', weight: 1 },
  ],
});
const pair = JSON.stringify({
  input: { messages: [{ role: 'user', content: 'Wer?' }] },
  preferred_output: [{ role: 'assistant', content: 'Das Amt.' }],
  non_preferred_output: [{ role: 'assistant', content: 'Egal.' }],
});

describe('a training file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-training-file-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function check(
    content: string | Buffer,
    kind: 'messages' | 'preference' = 'messages',
  ): Promise<number | string> {
    const path = join(folder, 'rows.jsonl');
    await writeFile(path, content);
    return checkTrainingFile(path, kind, AbortSignal.timeout(5000)).catch((error: unknown) => {
      if (error instanceof UnreadableRows) return error.message;
      throw error;
    });
  }

  it('has as many rows as it has lines that are not empty', async () => {
    expect(await check(`\uFEFF${chat}\r\n\n${chat}`)).toBe(2);
    expect(await check(pair, 'preference')).toBe(1);
  });

  it.each([
    ['', 'line 1: the file has no rows'],
    [`${chat}\n{"messages": [`, /^line 2: .*JSON/],
    [`${chat}\n\n["a"]\n`, /^line 3: is not an object but a list$/],
    [`${chat}\n${pair}\n`, /^line 2: is a pair of answers.*where a conversation is needed$/],
    [chat.replace('"weight":0', '"weight":2'), /^line 1: messages\[1\].weight is 2; it must be 0 or 1$/],
    [Buffer.from(`${chat}\n{"a": "Gr\xfc"}`, 'latin1'), /^line 2: is not UTF-8/],
    ['nope\n'.repeat(12), /^line 1: .*line 10: .*; and 2 more$/s],
  ])('%j is refused by its line', async (content, message) => {
    const found = await check(content);
    expect(found).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it('of pairs takes no conversation', async () =>
    expect(await check(chat, 'preference')).toMatch(/^line 1: is a conversation, where a pair of answers/));
});
