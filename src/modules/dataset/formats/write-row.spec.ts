import type { ChatMessage, TrainingRow } from '../training-row.js';
import { canonicalRow, rowHash } from './canonical-row.js';
import { readRow } from './read-row.js';
import { trainingFormats, writeNative, writeRow } from './write-row.js';

const user: ChatMessage = { role: 'user', content: 'Frage' };
const answer: ChatMessage = { role: 'assistant', content: 'Antwort' };
const worse: ChatMessage = { role: 'assistant', content: 'Falsch' };
const system: ChatMessage = { role: 'system', content: 'Du hilfst.' };

const rows = {
  messages: { kind: 'messages', messages: [system, user, { ...answer, weight: 0 }, user, answer] },
  preference: { kind: 'preference', prompt: [user], chosen: [answer], rejected: [worse] },
  kto: { kind: 'kto', prompt: [system, user], completion: [answer], desirable: false },
  text: { kind: 'text', text: 'Ein Absatz.' },
} satisfies Record<string, TrainingRow>;

describe('writing a row', () => {
  it.each(Object.entries(rows))('%s as itself and reading it again loses nothing', (_, row) =>
    expect(readRow(writeNative(row)).row).toEqual(row),
  );

  it.each([
    ['sharegpt', rows.messages],
    ['messages', rows.messages],
    ['openai-preference', rows.preference],
    ['preference', rows.preference],
    ['kto', rows.kto],
    ['text', rows.text],
  ] as const)('as %s and reading it again loses nothing', (format, row) => {
    const [written] = writeRow(row, format);
    expect(readRow(written).row).toEqual(row);
  });

  it('as alpaca puts earlier turns into the history', () => {
    const row: TrainingRow = {
      kind: 'messages',
      messages: [system, user, answer, { ...user, content: 'Und?' }, answer],
    };
    expect(writeRow(row, 'alpaca')).toEqual([
      { instruction: 'Und?', input: '', output: 'Antwort', system: 'Du hilfst.', history: [['Frage', 'Antwort']] },
    ]);
    expect(readRow(writeRow(row, 'alpaca')[0]).row).toEqual(row);
  });

  it('as kto makes two rows of a preference', () =>
    expect(writeRow(rows.preference, 'kto').map((row) => row['kto_tag'])).toEqual([true, false]));

  it('as messages learns the better answer', () =>
    expect(writeRow(rows.preference, 'messages')).toEqual([{ messages: [user, answer] }]));

  it.each([
    ['messages', rows.text, 'is plain text, which messages cannot hold; use text'],
    ['messages', rows.kto, 'the answer is one not to learn'],
    ['preference', rows.messages, 'is a conversation, which preference cannot hold'],
    ['alpaca', rows.messages, 'weight 0'],
    ['alpaca', { kind: 'messages', messages: [user, user, answer] }, 'does not alternate'],
  ] as const)('as %s says what it cannot hold', (format, row, message) =>
    expect(() => writeRow(row as TrainingRow, format)).toThrow(message),
  );

  it('knows every format', () => expect(trainingFormats).toHaveLength(7));
});

describe('the hash of a row', () => {
  it('is the same for the same row, however it was written', () => {
    const one: TrainingRow = {
      kind: 'messages',
      messages: [user, { content: 'Antwort', weight: 1, role: 'assistant' }],
    };
    expect(rowHash(one)).toBe(rowHash({ messages: [user, answer], kind: 'messages' }));
    expect(rowHash(one)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is another for another weight, role or text', () => {
    const hashes = [answer, { ...answer, weight: 0 as const }, worse].map((last) =>
      rowHash({ kind: 'messages', messages: [user, last] }),
    );
    expect(new Set(hashes).size).toBe(3);
    expect(canonicalRow(rows.kto)).toEqual(rows.kto);
  });
});
