import { createHash } from 'node:crypto';
import type { WritingOptions } from '../dataset-record.js';
import type { ChatMessage } from '../training-row.js';
import type { KeptAnswers, Written } from './kept-answers.js';
import type { QuestionWriter, WriterAnswer } from './question-writer.port.js';
import { pairsOf, repairMessage, UnreadableAnswer } from './written-pairs.js';

/** Asks a model about passages, each once: what is known is not asked again, what cannot be read is asked a second time. */
export class PassageWriting {
  constructor(
    private readonly writer: QuestionWriter,
    private readonly options: WritingOptions,
    private readonly kept: KeptAnswers,
  ) {}

  /** @param message the passage as the model gets it @throws WriterUnavailable, WritingRefused */
  async write(message: string, signal: AbortSignal): Promise<{ written: Written; isReused: boolean }> {
    const { model, prompt } = this.options;
    const key = createHash('sha256')
      .update(JSON.stringify([model, prompt, message]))
      .digest('hex');
    const known = this.kept.of(key);
    if (known) return { written: known, isReused: true };
    const conversation: ChatMessage[] = [
      { role: 'system', content: prompt },
      { role: 'user', content: message },
    ];
    const written = await this.#ask(conversation, signal);
    await this.kept.keep(key, written);
    return { written, isReused: false };
  }

  async #ask(conversation: ChatMessage[], signal: AbortSignal): Promise<Written> {
    const first = await this.writer.answer(conversation, signal);
    const read = this.#read(first);
    if ('pairs' in read) return read;
    const more: ChatMessage[] = [
      { role: 'assistant', content: first.text },
      { role: 'user', content: repairMessage(read.problem) },
    ];
    return this.#read(await this.writer.answer([...conversation, ...more], signal));
  }

  #read(answer: WriterAnswer): Written {
    try {
      return { pairs: pairsOf(answer, this.options.perPassage), model: answer.model };
    } catch (error) {
      if (error instanceof UnreadableAnswer) return { problem: error.message };
      throw error;
    }
  }
}
