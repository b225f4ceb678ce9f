import { pairsOf, promptHash, promptOf, UnreadableAnswer } from './written-pairs.js';

const pair = { question: 'Was gilt?', answer: 'Das gilt.' };
const whole = (value: unknown): { text: string; isCut: boolean } => ({ text: JSON.stringify(value), isCut: false });

describe("a model's answer", () => {
  it('is a list of questions and answers, cut to what was asked for', () => {
    expect(pairsOf(whole([pair, { ...pair, more: 1 }, pair]), 2)).toEqual([pair, pair]);
    expect(pairsOf(whole([]), 3)).toEqual([]);
    expect(pairsOf({ text: `\n\`\`\`json\n[${JSON.stringify(pair)}]\n\`\`\`\n`, isCut: false }, 3)).toEqual([pair]);
    expect(pairsOf(whole([{ question: ' Was gilt?\n', answer: ' Das gilt. ' }]), 3)).toEqual([pair]);
  });

  it.each<[string, unknown, RegExp]>([
    ['a single entry', pair, /no list/],
    ['a list around it', { rows: [pair] }, /no list/],
    ['texts', ['Was gilt?'], /no object/],
    ['an entry without an answer', [pair, { question: 'Was?' }], /no text "answer"/],
    ['an empty question', [{ question: ' ', answer: 'Das.' }], /no text "question"/],
    ['an answer that is a number', [{ question: 'Was?', answer: 4 }], /no text "answer"/],
    ['a question of many characters', [{ question: 'x'.repeat(1001), answer: 'Das.' }], /more than 1000/],
    ['nothing', null, /no list/],
  ])('is not %s', (_, value, problem) => {
    expect(() => pairsOf(whole(value), 3)).toThrow(problem);
  });

  it.each<[string, string]>([
    ['words before it', `Gerne: [${JSON.stringify(pair)}]`],
    ['a broken end', '[{"question": "Was gilt?", "answer"'],
    ['an empty text', ''],
  ])('is not JSON with %s', (_, text) => {
    expect(() => pairsOf({ text, isCut: false }, 3)).toThrow(UnreadableAnswer);
  });

  it('is nothing where it was cut, however it looks', () => {
    expect(() => pairsOf({ text: '[]', isCut: true }, 3)).toThrow(/was cut/);
  });
});

describe('the prompt', () => {
  it('is ours or that of the request, and always tells the form of the answer', () => {
    expect(promptOf(undefined, 3)).toMatch(/^Du schreibst Fragen[^]*höchstens 3 Einträgen/);
    expect(promptOf(' Frag kurz. ', 5)).toMatch(/^Frag kurz\.\nAntworte nur mit JSON[^]*höchstens 5 Einträgen/);
    expect(promptHash('a')).toBe('ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb');
  });
});
