import { SystemClock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import { WriterUnavailable, WritingRefused } from '../../modules/dataset/questions/question-writer.port.js';
import { OwnAnswers, type Conversation } from '../../modules/serving/own-answers.port.js';
import { OwnQuestionWriter } from './own-question-writer.js';

/** Engines that answer what the test says, one after another; the last one again and again. */
class FakeAnswers extends OwnAnswers {
  readonly asked: Conversation[] = [];

  constructor(private readonly replies: readonly (AppError | object | 'never')[]) {
    super();
  }

  chat(conversation: Conversation, signal: AbortSignal): Promise<unknown> {
    const reply = this.replies[Math.min(this.asked.length, this.replies.length - 1)];
    this.asked.push(conversation);
    if (reply === 'never')
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    return reply instanceof AppError ? Promise.reject(reply) : Promise.resolve(reply);
  }
}

const said = { model: 'ft:base:1', choices: [{ message: { content: '[]' }, finish_reason: 'stop' }] };
const busy = new AppError('rate_limited', 'busy', [], { 'Retry-After': '0' });
const messages = [{ role: 'user' as const, content: 'Was gilt?' }];

const writerOf = (answers: OwnAnswers, { timeoutMs = 5000, deadlineMs = 5000 } = {}): OwnQuestionWriter =>
  new OwnQuestionWriter({ model: 'champion', maxTokens: 100, timeoutMs, deadlineMs }, () => answers, new SystemClock());
const ask = (answers: OwnAnswers, options?: object) => writerOf(answers, options).answer(messages, signal());
const signal = (): AbortSignal => new AbortController().signal;

describe('the writer at the own engines', () => {
  it('asks as it asks a server, and tells which version answered', async () => {
    const answers = new FakeAnswers([said]);
    expect(await ask(answers)).toEqual({ text: '[]', isCut: false, model: 'ft:base:1' });
    expect(answers.asked).toEqual([{ model: 'champion', messages, temperature: 0, seed: 0, max_tokens: 100 }]);
  });

  it('waits while the engine is busy or away', async () => {
    const answers = new FakeAnswers([busy, new AppError('unavailable', 'away', [], { 'Retry-After': '0' }), said]);
    expect((await ask(answers)).text).toBe('[]');
    expect(answers.asked).toHaveLength(3);
  });

  it('gives up with the reason where it stays away', async () => {
    const away = new FakeAnswers([
      new AppError('unavailable', 'the start failed: no memory', [], { 'Retry-After': '600' }),
    ]);
    const failed = ask(away);
    await expect(failed).rejects.toThrow(WriterUnavailable);
    await expect(failed).rejects.toThrow('own engine (CLARA_WRITER_URL=self) answers 503: the start failed: no memory');
    await expect(ask(new FakeAnswers(['never']), { timeoutMs: 20, deadlineMs: 40 })).rejects.toThrow(
      'does not answer in time',
    );
  });

  it('tells a model that is not there from a question that is not wanted', async () => {
    const unknown = ask(new FakeAnswers([new AppError('not_found', 'The model "champion" does not exist')]));
    await expect(unknown).rejects.toThrow(WriterUnavailable);
    await expect(unknown).rejects.toThrow('is CLARA_WRITER_MODEL right?');
    await expect(ask(new FakeAnswers([new AppError('bad_request', 'too long')]))).rejects.toThrow(WritingRefused);
  });

  it('ends when the build ends', async () => {
    const end = new AbortController();
    const asked = writerOf(new FakeAnswers(['never'])).answer(messages, end.signal);
    end.abort(new Error('cancelled'));
    await expect(asked).rejects.toThrow('cancelled');
  });
});
