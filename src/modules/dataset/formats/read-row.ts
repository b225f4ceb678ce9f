import type { ChatMessage, TrainingRow } from '../training-row.js';
import { isFields, kindOf, RowProblem, shown, textOf, type Fields } from './row-problem.js';
import { answerOf, conversation, historyOf, promptOf, turnsOf, unlearned } from './turns.js';

export const rowFormats = [
  'kto',
  'openai-preference',
  'preference',
  'messages',
  'sharegpt',
  'alpaca',
  'prompt-completion',
  'text',
] as const;
export type RowFormat = (typeof rowFormats)[number];

export interface ReadRow {
  format: RowFormat;
  row: TrainingRow;
  /** What came with the row and is no part of it. */
  metadata: Fields;
}

function kto(row: Fields): TrainingRow {
  const tag = row['kto_tag'] ?? row['label'];
  const desirable = tag === true || tag === 1 || /^true$/i.test(String(tag));
  if (!desirable && tag !== false && tag !== 0 && !/^false$/i.test(String(tag)))
    throw new RowProblem(`kto_tag is ${shown(tag)}; it must be true or false`);
  const whole = withoutKeys(row, ['kto_tag', 'label']);
  const { row: inner } = readRow(whole);
  if (inner.kind !== 'messages') throw new RowProblem('kto_tag stands beside no conversation');
  const end = inner.messages.findLastIndex(({ role }) => role !== 'assistant') + 1;
  if (end === inner.messages.length) throw new RowProblem('has no answer: the last message is not of the assistant');
  const completion = inner.messages.slice(end);
  return { kind: 'kto', prompt: inner.messages.slice(0, end), completion, desirable };
}

/** Where the prompt stands inside of both answers, they begin alike and the last message differs. */
function preference(row: Fields): TrainingRow {
  const chosen = answerOf(row['chosen'], 'chosen');
  const rejected = answerOf(row['rejected'], 'rejected');
  if (chosen.every(({ role }) => role === 'assistant'))
    return { kind: 'preference', prompt: unlearned(promptOf(row)), chosen, rejected };
  const [prompt, last] = [chosen.slice(0, -1), chosen.slice(-1)];
  if (last[0]?.role !== 'assistant') throw new RowProblem('chosen must end with an assistant message');
  return { kind: 'preference', prompt: unlearned(prompt), chosen: last, rejected: rejected.slice(-1) };
}

function openAiPreference(row: Fields): TrainingRow {
  const input = row['input'];
  if (!isFields(input) || !('messages' in input)) throw new RowProblem('input must be an object with messages');
  return {
    kind: 'preference',
    prompt: unlearned(turnsOf(input['messages'], 'input.messages')),
    chosen: answerOf(row['preferred_output'], 'preferred_output'),
    rejected: answerOf(row['non_preferred_output'], 'non_preferred_output'),
  };
}

const messages = (turns: ChatMessage[]): TrainingRow => ({ kind: 'messages', messages: conversation(turns) });

function shareGpt(row: Fields): TrainingRow {
  const turns = turnsOf(row['conversations'], 'conversations');
  if (!row['system'] || turns[0]?.role === 'system') return messages(turns);
  return messages([{ role: 'system', content: textOf(row['system'], 'system') }, ...turns]);
}

function alpaca(row: Fields): TrainingRow {
  const prompt = promptOf(pick(row, ['system', 'instruction', 'input']));
  return messages([
    ...prompt.slice(0, -1),
    ...historyOf(row),
    ...prompt.slice(-1),
    ...answerOf(row['output'], 'output'),
  ]);
}

function text(row: Fields): TrainingRow {
  const value = textOf(row['text'], 'text');
  if (value.trim() === '') throw new RowProblem('text is empty');
  return { kind: 'text', text: value };
}

interface Reader {
  format: RowFormat;
  /** The row has all of these. */
  keys: string[];
  /** Belong to the row where they are there. */
  more: string[];
  read: (row: Fields) => TrainingRow;
}

const PROMPTS = ['system', 'prompt', 'conversations', 'messages', 'instruction', 'input'];

/** The first that fits counts: the more particular formats stand first. */
const readers: Reader[] = [
  { format: 'kto', keys: ['kto_tag'], more: [...PROMPTS, 'output', 'completion', 'history'], read: kto },
  { format: 'kto', keys: ['label', 'prompt', 'completion'], more: ['system'], read: kto },
  {
    format: 'openai-preference',
    keys: ['input', 'preferred_output', 'non_preferred_output'],
    more: [],
    read: openAiPreference,
  },
  { format: 'preference', keys: ['chosen', 'rejected'], more: PROMPTS, read: preference },
  {
    format: 'messages',
    keys: ['messages'],
    more: [],
    read: (row) => messages(turnsOf(row['messages'], 'messages')),
  },
  { format: 'sharegpt', keys: ['conversations'], more: ['system'], read: shareGpt },
  { format: 'alpaca', keys: ['instruction', 'output'], more: ['input', 'system', 'history'], read: alpaca },
  {
    format: 'prompt-completion',
    keys: ['prompt', 'completion'],
    more: ['system'],
    read: (row) => messages([...promptOf(row), ...answerOf(row['completion'], 'completion')]),
  },
  { format: 'text', keys: ['text'], more: [], read: text },
];

const KNOWN =
  'messages, conversations, instruction/output, prompt/completion, chosen/rejected, ' +
  'input/preferred_output/non_preferred_output, kto_tag, text';

const pick = (row: Fields, keys: string[]): Fields =>
  Object.fromEntries(Object.entries(row).filter(([key]) => keys.includes(key)));
const withoutKeys = (row: Fields, keys: string[]): Fields =>
  Object.fromEntries(Object.entries(row).filter(([key]) => !keys.includes(key)));

/** Recognises the format of a row by its keys, as the trainer does. @throws RowProblem */
export function readRow(value: unknown): ReadRow {
  if (!isFields(value)) throw new RowProblem(`is not an object but ${kindOf(value)}`);
  // A table has every column in every row; the empty ones are as good as missing.
  const present = Object.fromEntries(Object.entries(value).filter(([, cell]) => cell !== null && cell !== undefined));
  const reader = readers.find(({ keys }) => keys.every((key) => key in present));
  if (!reader) {
    const keys = Object.keys(value).slice(0, 20).join(', ') || 'none';
    throw new RowProblem(`has none of the known formats (${KNOWN}); its keys are ${keys}`);
  }
  const { format, keys, more, read } = reader;
  return { format, row: read(present), metadata: withoutKeys(present, [...keys, ...more]) };
}
