import { messageOf } from '../../../kernel/errors.js';
import type { Turn } from './asked-answer.js';
import { BadRequest } from './bad-request.js';
import type { LlamaModel, TemplateEngine } from './llama-library.js';

export type ChatTemplate = (turns: readonly Turn[]) => string;

/** @param source as Hugging Face writes templates @throws where it cannot be read */
export function chatTemplate(source: string, engine: TemplateEngine, tokens: LlamaModel['tokens']): ChatTemplate {
  const template = new engine.Template(source);
  const special = { bos_token: tokens.bosString ?? '', eos_token: tokens.eosString ?? '' };
  return (turns) => {
    try {
      return template.render({ messages: turns, add_generation_prompt: true, ...special });
    } catch (error) {
      // Templates raise errors of their own, for roles in an order that the model was not trained on.
      throw new BadRequest(`the chat template does not take these messages: ${messageOf(error)}`, 'messages');
    }
  };
}

/** The template of a base's file, which may have none. */
export function templateIn(metadata: Readonly<Record<string, unknown>>): string | undefined {
  const { chat_template: template } = (metadata['tokenizer'] ?? {}) as Record<string, unknown>;
  return typeof template === 'string' && template !== '' ? template : undefined;
}
