import type { ChatMessage, TrainingRow } from '../training-row.js';
import { textOfRow } from '../training-row.js';
import { RowProblem, type Fields } from './row-problem.js';

export const trainingFormats = [
  'messages',
  'sharegpt',
  'alpaca',
  'preference',
  'openai-preference',
  'kto',
  'text',
] as const;
export type TrainingFormat = (typeof trainingFormats)[number];

const names: Readonly<Record<TrainingRow['kind'], string>> = {
  messages: 'a conversation',
  preference: 'a preference',
  kto: 'a rated answer',
  text: 'plain text',
};

const impossible = (row: TrainingRow, format: TrainingFormat, hint: string): RowProblem =>
  new RowProblem(`is ${names[row.kind]}, which ${format} cannot hold; ${hint}`);

/** The conversation to learn. @throws RowProblem where the row has none */
function conversationOf(row: TrainingRow, format: TrainingFormat): ChatMessage[] {
  switch (row.kind) {
    case 'messages':
      return row.messages;
    case 'preference':
      return [...row.prompt, ...row.chosen];
    case 'kto':
      if (!row.desirable) throw impossible(row, format, 'the answer is one not to learn: use kto');
      return [...row.prompt, ...row.completion];
    case 'text':
      throw impossible(row, format, 'use text, jsonl, json, csv or parquet');
  }
}

const FROM: Readonly<Record<ChatMessage['role'], string>> = {
  system: 'system',
  user: 'human',
  assistant: 'gpt',
  tool: 'observation',
};

const shareGptTurn = ({ role, content, weight }: ChatMessage): Fields => ({
  from: FROM[role],
  value: content,
  ...(weight === 0 ? { weight } : {}),
});

/** system? (user assistant)* user assistant; anything else has no place in Alpaca's columns. */
function alpaca(row: TrainingRow): Fields {
  const turns = conversationOf(row, 'alpaca');
  const [first] = turns;
  const system = first?.role === 'system' ? first.content : undefined;
  const rest = system === undefined ? turns : turns.slice(1);
  const alternate = rest.every(({ role }, index) => role === (index % 2 === 0 ? 'user' : 'assistant'));
  if (!alternate || rest.length < 2 || rest.length % 2 === 1)
    throw new RowProblem('is a conversation that does not alternate between user and assistant; use messages');
  if (rest.some(({ weight }) => weight === 0))
    throw new RowProblem('has an answer with weight 0, which alpaca cannot hold; use messages');
  const texts = rest.map(({ content }) => content);
  const history = Array.from({ length: texts.length / 2 - 1 }, (_, index) => texts.slice(index * 2, index * 2 + 2));
  return {
    instruction: texts.at(-2),
    input: '',
    output: texts.at(-1),
    ...(system === undefined ? {} : { system }),
    ...(history.length > 0 ? { history } : {}),
  };
}

function preference(row: TrainingRow, format: 'preference' | 'openai-preference'): Fields {
  if (row.kind !== 'preference') throw impossible(row, format, 'it has one answer, not a better and a worse one');
  const { prompt, chosen, rejected } = row;
  return format === 'preference'
    ? { prompt, chosen, rejected }
    : { input: { messages: prompt }, preferred_output: chosen, non_preferred_output: rejected };
}

function kto(row: TrainingRow): Fields[] {
  switch (row.kind) {
    case 'kto':
      return [{ messages: [...row.prompt, ...row.completion], kto_tag: row.desirable }];
    case 'preference':
      return [
        { messages: [...row.prompt, ...row.chosen], kto_tag: true },
        { messages: [...row.prompt, ...row.rejected], kto_tag: false },
      ];
    case 'messages':
      return [{ messages: row.messages, kto_tag: true }];
    case 'text':
      throw impossible(row, 'kto', 'use text, jsonl, json, csv or parquet');
  }
}

/**
 * A row in one of the formats that trainers read; mostly one, of a preference as kto two.
 * @throws RowProblem where the format cannot hold it
 */
export function writeRow(row: TrainingRow, format: TrainingFormat): Fields[] {
  switch (format) {
    case 'messages':
      return [{ messages: conversationOf(row, format) }];
    case 'sharegpt':
      return [{ conversations: conversationOf(row, format).map(shareGptTurn) }];
    case 'alpaca':
      return [alpaca(row)];
    case 'preference':
    case 'openai-preference':
      return [preference(row, format)];
    case 'kto':
      return kto(row);
    case 'text':
      return [
        {
          text: row.kind === 'text' ? row.text : textOfRow({ kind: 'messages', messages: conversationOf(row, format) }),
        },
      ];
  }
}

/** The row as itself, in the format that loses nothing; what the trainer is given. */
export function writeNative(row: TrainingRow): Fields {
  const format = ({ messages: 'messages', preference: 'preference', kto: 'kto', text: 'text' } as const)[row.kind];
  return writeRow(row, format)[0] ?? {};
}
