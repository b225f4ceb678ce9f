import { WritingRefused, type WriterAnswer } from '../../modules/dataset/questions/question-writer.port.js';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** A text, or OpenAI's list of text parts. */
function textOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const parts = content.map((part) => (isObject(part) ? part['text'] : undefined));
  return parts.every((part) => typeof part === 'string') ? parts.join('') : undefined;
}

/** Reasoning that some servers leave before the answer. */
const THOUGHT = /^\s*<think>[\s\S]*?<\/think>/;

/**
 * The first choice of an answer of /v1/chat/completions.
 * @param model where the answer does not name it
 * @throws WritingRefused where there is no text
 */
export function completionOf(answer: unknown, model: string): WriterAnswer {
  const choices: unknown = isObject(answer) ? answer['choices'] : undefined;
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined;
  const message: unknown = isObject(first) ? first['message'] : undefined;
  if (!isObject(answer) || !isObject(first) || !isObject(message))
    throw new WritingRefused("the model's server answers without a message in its choices");
  const text = textOf(message['content']);
  if (text === undefined) {
    const refusal = message['refusal'];
    throw new WritingRefused(typeof refusal === 'string' ? refusal.slice(0, 300) : 'the model answers without a text');
  }
  const served = answer['model'];
  return {
    text: text.replace(THOUGHT, ''),
    isCut: first['finish_reason'] === 'length',
    model: typeof served === 'string' && served !== '' ? served : model,
  };
}
