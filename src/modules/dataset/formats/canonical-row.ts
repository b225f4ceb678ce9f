import { createHash } from 'node:crypto';
import type { ChatMessage, TrainingRow } from '../training-row.js';

const message = ({ role, content, weight }: ChatMessage): ChatMessage =>
  role === 'assistant' && weight === 0 ? { role, content, weight } : { role, content };

/** The same row with its keys in one order and without what is the default: equal rows are equal texts. */
export function canonicalRow(row: TrainingRow): TrainingRow {
  switch (row.kind) {
    case 'messages':
      return { kind: 'messages', messages: row.messages.map(message) };
    case 'preference':
      return {
        kind: 'preference',
        prompt: row.prompt.map(message),
        chosen: row.chosen.map(message),
        rejected: row.rejected.map(message),
      };
    case 'kto':
      return {
        kind: 'kto',
        prompt: row.prompt.map(message),
        completion: row.completion.map(message),
        desirable: row.desirable,
      };
    case 'text':
      return { kind: 'text', text: row.text };
  }
}

/** SHA-256, hexadecimal, over the JSON of the canonical row. */
export const rowHash = (row: TrainingRow): string =>
  createHash('sha256')
    .update(JSON.stringify(canonicalRow(row)))
    .digest('hex');
