import type { Settings } from '../../config/settings.js';
import type { Clock } from '../../kernel/clock.js';
import { QuestionWriter, WriterUnavailable } from '../../modules/dataset/questions/question-writer.port.js';
import type { OwnAnswers } from '../../modules/serving/own-answers.port.js';
import { HttpQuestionWriter } from './http-question-writer.js';
import { OwnQuestionWriter } from './own-question-writer.js';

/** Nothing is configured: templates write the questions. */
class NoWriter extends QuestionWriter {
  readonly model = null;

  answer(): Promise<never> {
    return Promise.reject(new WriterUnavailable('no model is configured; set CLARA_WRITER_URL and CLARA_WRITER_MODEL'));
  }
}

/**
 * The model that the settings name; nothing connects before it is asked.
 * @param own the engines of the application, once it stands
 */
export function openWriter({ writer }: Pick<Settings, 'writer'>, clock: Clock, own: () => OwnAnswers): QuestionWriter {
  const { server, maxTokens, timeoutMs, deadlineMs } = writer;
  if (!server) return new NoWriter();
  const limits = { maxTokens, timeoutMs, deadlineMs };
  return server.is === 'own'
    ? new OwnQuestionWriter({ model: server.model, ...limits }, own, clock)
    : new HttpQuestionWriter({ ...server, ...limits }, clock);
}
