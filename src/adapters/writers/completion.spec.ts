import { WritingRefused } from '../../modules/dataset/questions/question-writer.port.js';
import { completionOf } from './completion.js';

const answer = (message: unknown, more: object = {}): object => ({ choices: [{ message, ...more }] });

describe('an answer of /v1/chat/completions', () => {
  it('has a text, the model, and whether it was cut', () => {
    const more = { ...answer({ content: '[]' }, { finish_reason: 'stop' }), model: 'exact-2026' };
    expect(completionOf(more, 'asked')).toEqual({ text: '[]', isCut: false, model: 'exact-2026' });
    expect(completionOf(answer({ content: '[' }, { finish_reason: 'length' }), 'asked')).toEqual({
      text: '[',
      isCut: true,
      model: 'asked',
    });
    const parts = [
      { type: 'text', text: '[' },
      { type: 'text', text: ']' },
    ];
    expect(completionOf(answer({ content: parts }), 'asked').text).toBe('[]');
  });

  it('does not count what the model thought before', () => {
    expect(completionOf(answer({ content: '<think>\nHm.</think>\n[]' }), 'asked').text.trim()).toBe('[]');
  });

  it.each([[null], [{}], [{ choices: [] }], [answer({ content: null })], [answer({ content: [{ type: 'image' }] })]])(
    'is none in %j',
    (value) => {
      expect(() => completionOf(value, 'asked')).toThrow(WritingRefused);
    },
  );

  it('tells a refusal in its own words', () => {
    expect(() => completionOf(answer({ content: null, refusal: 'No.' }), 'asked')).toThrow('No.');
  });
});
