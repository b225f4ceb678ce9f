import { readRow } from './read-row.js';

const user = { role: 'user', content: 'Was ist ein Verwaltungsakt?' };
const answer = { role: 'assistant', content: 'Eine hoheitliche Maßnahme.' };
const worse = { role: 'assistant', content: 'Keine Ahnung.' };

describe('a row of', () => {
  it('messages keeps the weight 0 of an answer and nothing else of it', () => {
    const messages = [user, { ...answer, weight: 0, name: 'x' }, user, { ...answer, weight: 1 }];
    expect(readRow({ messages, topic: 'VwVfG' })).toEqual({
      format: 'messages',
      row: { kind: 'messages', messages: [user, { ...answer, weight: 0 }, user, answer] },
      metadata: { topic: 'VwVfG' },
    });
  });

  it.each([
    [
      'sharegpt',
      {
        conversations: [
          { from: 'human', value: user.content },
          { from: 'gpt', value: answer.content },
        ],
      },
    ],
    ['alpaca', { instruction: user.content, input: '', output: answer.content, system: null }],
    ['prompt-completion', { prompt: user.content, completion: answer.content }],
    ['prompt-completion', { prompt: [user], completion: [answer] }],
  ])('%s is the same conversation', (format, row) =>
    expect(readRow(row)).toEqual({ format, row: { kind: 'messages', messages: [user, answer] }, metadata: {} }),
  );

  it('alpaca has its system text first, then the history, and the input behind the instruction', () => {
    const row = readRow({
      instruction: 'Fasse zusammen',
      input: 'Text',
      output: 'Kurz',
      system: 'S',
      history: [['a', 'b']],
    });
    expect(row.row).toEqual({
      kind: 'messages',
      messages: [
        { role: 'system', content: 'S' },
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
        { role: 'user', content: 'Fasse zusammen\n\nText' },
        { role: 'assistant', content: 'Kurz' },
      ],
    });
  });

  it.each([
    ['preference', { prompt: user.content, chosen: answer.content, rejected: worse.content }],
    ['preference', { prompt: [user], chosen: [answer], rejected: [worse] }],
    ['preference', { chosen: [user, answer], rejected: [user, worse] }],
    ['preference', { conversations: [{ from: 'human', value: user.content }], chosen: answer, rejected: worse }],
    ['openai-preference', { input: { messages: [user] }, preferred_output: [answer], non_preferred_output: [worse] }],
  ])('%s has a prompt, a better and a worse answer', (format, row) =>
    expect(readRow(row)).toEqual({
      format,
      row: { kind: 'preference', prompt: [user], chosen: [answer], rejected: [worse] },
      metadata: {},
    }),
  );

  it.each([
    [true, { messages: [user, answer], kto_tag: true }],
    [false, { conversations: [user, answer], kto_tag: 'false' }],
    [false, { prompt: user.content, completion: answer.content, label: false }],
    [true, { instruction: user.content, output: answer.content, kto_tag: 1 }],
  ])('kto says %s of its answer', (desirable, row) =>
    expect(readRow(row)).toEqual({
      format: 'kto',
      row: { kind: 'kto', prompt: [user], completion: [answer], desirable },
      metadata: {},
    }),
  );

  it('the original keeps what came with the text', () => {
    const metadata = { title: 'VwVfG', domain: 'Recht' };
    const row = {
      text: 'Ein Text',
      metadata,
      source: 'uds3_search',
      quality_score: 0.7,
      document_id: 'd',
      relevance_score: 0.5,
    };
    const { text, ...rest } = row;
    expect(readRow(row)).toEqual({ format: 'text', row: { kind: 'text', text }, metadata: rest });
  });

  it.each([
    [['a'], 'is not an object but a list'],
    [{ a: 1, b: 2 }, 'has none of the known formats'],
    [{ messages: 'hallo' }, 'messages must be a list of messages with at least one entry'],
    [{ messages: [{ role: 'boss', content: 'x' }] }, 'messages[0].role is "boss"; known are'],
    [{ messages: [{ role: 'constructor', content: 'x' }] }, 'messages[0].role is "constructor"'],
    [{ messages: [user, { role: 'assistant', content: 7 }] }, 'messages[1].content must be text, not a number'],
    [{ messages: [user, { ...answer, weight: 0.5 }] }, 'messages[1].weight is 0.5; it must be 0 or 1'],
    [{ messages: [{ role: 'user', content: ' ' }, answer] }, 'messages[0].content is empty'],
    [{ messages: [user] }, 'has no answer: there is no assistant message'],
    [{ messages: [user, { role: 'assistant', content: '' }] }, 'has no answer: the assistant messages are empty'],
    [{ instruction: 'x', output: '' }, 'output is empty'],
    [{ text: '  ' }, 'text is empty'],
    [{ chosen: 'a', rejected: 'b' }, 'has an answer but no prompt'],
    [{ messages: [user, answer], kto_tag: 'vielleicht' }, 'kto_tag is "vielleicht"; it must be true or false'],
    [{ instruction: 'a', output: 'b', history: [['x']] }, 'history[0] must be a pair'],
    [{ input: 'x', preferred_output: 'a', non_preferred_output: 'b' }, 'input must be an object with messages'],
  ])('%j is refused', (row, message) => expect(() => readRow(row)).toThrow(message));
});
