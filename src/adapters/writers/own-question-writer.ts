import type { Clock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import {
  QuestionWriter,
  WriterUnavailable,
  WritingRefused,
  type WriterAnswer,
} from '../../modules/dataset/questions/question-writer.port.js';
import type { ChatMessage } from '../../modules/dataset/training-row.js';
import type { OwnAnswers } from '../../modules/serving/own-answers.port.js';
import { patiently, type Try } from '../openai/patience.js';
import { isPassing } from '../openai/retry-pause.js';
import { completionOf } from './completion.js';
import type { WriterOptions } from './http-question-writer.js';

const NAME = 'own engine (CLARA_WRITER_URL=self)';

/** Writes by the engines that answer /v1 here, within the process: no request leaves, no token is needed. */
export class OwnQuestionWriter extends QuestionWriter {
  readonly model: string;

  /** @param own asked for at the first question: the application stands by then */
  constructor(
    private readonly options: Omit<WriterOptions, 'url' | 'apiKey'>,
    private readonly own: () => OwnAnswers,
    private readonly clock: Clock,
  ) {
    super();
    this.model = options.model;
  }

  async answer(messages: readonly ChatMessage[], signal: AbortSignal): Promise<WriterAnswer> {
    const { timeoutMs, deadlineMs } = this.options;
    const patience = { timeoutMs, deadlineMs, clock: this.clock };
    const result = await patiently((late) => this.#try(messages, signal, late), patience, signal);
    if ('answer' in result) return result.answer;
    throw new WriterUnavailable(`the ${NAME} ${result.failure}`);
  }

  async #try(messages: readonly ChatMessage[], signal: AbortSignal, late: AbortSignal): Promise<Try<WriterAnswer>> {
    const { model, maxTokens } = this.options;
    const asked = { model, messages, temperature: 0, seed: 0, max_tokens: maxTokens };
    try {
      return { answer: completionOf(await this.own().chat(asked, AbortSignal.any([signal, late])), model) };
    } catch (error) {
      if (late.aborted) return { failure: 'does not answer in time', retryAfter: null };
      if (signal.aborted || !(error instanceof AppError)) throw error;
      if (!isPassing(error.status)) throw refusal(error);
      const failure = `answers ${error.status}: ${error.message}`;
      return { failure, retryAfter: error.headers['Retry-After'] ?? null };
    }
  }
}

/** That there is no such model every conversation would be told. */
function refusal({ status, message }: AppError): Error {
  const told = `the ${NAME} answers ${status}: ${message}`;
  return status === 404 ? new WriterUnavailable(`${told}; is CLARA_WRITER_MODEL right?`) : new WritingRefused(told);
}
