import type { Clock } from '../../kernel/clock.js';
import {
  QuestionWriter,
  WriterUnavailable,
  WritingRefused,
  type WriterAnswer,
} from '../../modules/dataset/questions/question-writer.port.js';
import type { ChatMessage } from '../../modules/dataset/training-row.js';
import { OpenAiServer, RequestRefused, ServerUnavailable } from '../openai/openai-server.js';
import { completionOf } from './completion.js';

export interface WriterOptions {
  /** Up to /v1. */
  url: string;
  apiKey: string | undefined;
  model: string;
  /** Of an answer. */
  maxTokens: number;
  /** Of one try. */
  timeoutMs: number;
  /** Of all tries of a conversation. */
  deadlineMs: number;
}

/** Refusals that every conversation would get. */
const ADVICE: Readonly<Record<number, string>> = {
  401: '; is CLARA_WRITER_API_KEY right?',
  402: '',
  403: '; is CLARA_WRITER_API_KEY right?',
  404: '; are CLARA_WRITER_URL and CLARA_WRITER_MODEL right?',
};

/** Writes at any server with `/v1/chat/completions` (OpenAI, vLLM, llama.cpp, Ollama). */
export class HttpQuestionWriter extends QuestionWriter {
  readonly model: string;
  readonly #server: OpenAiServer;

  constructor(
    private readonly options: WriterOptions,
    clock: Clock,
  ) {
    super();
    const { url, apiKey, timeoutMs, deadlineMs } = options;
    this.model = options.model;
    this.#server = new OpenAiServer({ name: "model's server", url, apiKey, timeoutMs, deadlineMs, clock });
  }

  async answer(messages: readonly ChatMessage[], signal: AbortSignal): Promise<WriterAnswer> {
    const { model, maxTokens } = this.options;
    const body = { model, messages, temperature: 0, seed: 0, max_tokens: maxTokens };
    try {
      return completionOf(await this.#server.ask('/chat/completions', body, signal), model);
    } catch (error) {
      if (error instanceof ServerUnavailable) throw new WriterUnavailable(error.message);
      throw error instanceof RequestRefused ? this.#refusal(error) : error;
    }
  }

  #refusal({ status, detail }: RequestRefused): Error {
    const message = `the ${this.#server.name} answers ${status}: ${detail}`;
    const advice = ADVICE[status];
    return advice === undefined ? new WritingRefused(message) : new WriterUnavailable(`${message}${advice}`);
  }
}
