import type { ChatMessage } from '../training-row.js';
import { isFields, kindOf, RowProblem, shown, textOf, type Fields } from './row-problem.js';

/** Names of roles in the formats of the world, as the trainer knows them. */
const ROLES: Readonly<Record<string, ChatMessage['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  model: 'assistant',
  chatgpt: 'assistant',
  function_call: 'assistant',
  tool: 'tool',
  function: 'tool',
  observation: 'tool',
};

function weightOf(value: unknown, where: string): 0 | 1 {
  // Tables have every column in every row: an empty one is as good as missing; a CSV has numbers as text.
  const weight = typeof value === 'string' || typeof value === 'bigint' ? Number(value) : (value ?? 1);
  if (weight === 0 || weight === 1) return weight;
  throw new RowProblem(`${where}.weight is ${shown(weight)}; it must be 0 or 1`);
}

/** A message in OpenAI's words (role, content, weight) or ShareGPT's (from, value). @throws RowProblem */
function turnOf(message: unknown, where: string): ChatMessage {
  if (!isFields(message))
    throw new RowProblem(`${where} must be an object with role and content, not ${kindOf(message)}`);
  const name = message['role'] ?? message['from'];
  const role = typeof name === 'string' && Object.hasOwn(ROLES, name) ? ROLES[name] : undefined;
  if (!role)
    throw new RowProblem(`${where}.role is ${shown(name)}; known are ${Object.keys(ROLES).toSorted().join(', ')}`);
  const content = textOf(message['content'] ?? message['value'], `${where}.content`);
  const weight = weightOf(message['weight'], where);
  if (role !== 'assistant' && content.trim() === '') throw new RowProblem(`${where}.content is empty`);
  return role === 'assistant' && weight === 0 ? { role, content, weight } : { role, content };
}

/** @throws RowProblem */
export function turnsOf(value: unknown, where: string): ChatMessage[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new RowProblem(`${where} must be a list of messages with at least one entry`);
  return value.map((message, index) => turnOf(message, `${where}[${index}]`));
}

/** An answer as text, as one message or as several. @throws RowProblem */
export function answerOf(value: unknown, where: string): ChatMessage[] {
  if (typeof value === 'string') {
    if (value.trim() === '') throw new RowProblem(`${where} is empty`);
    return [{ role: 'assistant', content: value }];
  }
  return isFields(value) ? [turnOf(value, where)] : turnsOf(value, where);
}

function question(text: string, where: string): ChatMessage {
  if (text.trim() === '') throw new RowProblem(`${where} is empty`);
  return { role: 'user', content: text };
}

function instructionOf(row: Fields): string {
  const instruction = textOf(row['instruction'], 'instruction');
  const addition = textOf(row['input'] ?? '', 'input');
  return addition.trim() === '' ? instruction : `${instruction}\n\n${addition}`;
}

const systemOf = (row: Fields): ChatMessage[] =>
  row['system'] ? [{ role: 'system', content: textOf(row['system'], 'system') }] : [];

/** What stands before the answer, in any of the formats that name it apart. @throws RowProblem */
export function promptOf(row: Fields): ChatMessage[] {
  for (const key of ['prompt', 'conversations', 'messages']) {
    const value = row[key];
    if (Array.isArray(value)) return [...systemOf(row), ...turnsOf(value, key)];
    if (typeof value === 'string') return [...systemOf(row), question(value, key)];
  }
  if (row['instruction'] !== undefined) return [...systemOf(row), question(instructionOf(row), 'instruction')];
  throw new RowProblem('has an answer but no prompt, conversations or instruction before it');
}

/** Earlier turns of an Alpaca row: pairs of question and answer. @throws RowProblem */
export function historyOf(row: Fields): ChatMessage[] {
  const pairs = row['history'] ?? [];
  if (!Array.isArray(pairs)) throw new RowProblem(`history must be a list of pairs, not ${kindOf(pairs)}`);
  return pairs.flatMap((pair: unknown, index): ChatMessage[] => {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw new RowProblem(`history[${index}] must be a pair of question and answer`);
    return [
      question(textOf(pair[0], `history[${index}][0]`), `history[${index}][0]`),
      { role: 'assistant', content: textOf(pair[1], `history[${index}][1]`) },
    ];
  });
}

/** @throws RowProblem where nothing in the conversation is an answer */
export function conversation(messages: ChatMessage[]): ChatMessage[] {
  const answers = messages.filter(({ role }) => role === 'assistant');
  if (answers.length === 0) throw new RowProblem('has no answer: there is no assistant message');
  if (answers.every(({ content }) => content.trim() === ''))
    throw new RowProblem('has no answer: the assistant messages are empty');
  return messages;
}

/** Only answers at the end are learned; what stands before them is said, not taught. */
export const unlearned = (messages: ChatMessage[]): ChatMessage[] =>
  messages.map(({ role, content }) => ({ role, content }));
