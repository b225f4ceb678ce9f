export interface ChatMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  /** Of an assistant turn: 0 keeps it out of the loss. */
  weight?: 0 | 1;
}

/** A row of a dataset in the house's own form; every format of the world is read into and written from it. */
export type TrainingRow =
  | { kind: 'messages'; messages: ChatMessage[] }
  | { kind: 'preference'; prompt: ChatMessage[]; chosen: ChatMessage[]; rejected: ChatMessage[] }
  | { kind: 'kto'; prompt: ChatMessage[]; completion: ChatMessage[]; desirable: boolean }
  | { kind: 'text'; text: string };

/** Where a row comes from. */
export interface RowOrigin {
  source: 'search' | 'document' | 'upload' | 'synthetic' | 'feedback';
  documentId: string | null;
  documentVersion: number | null;
  chunkId: string | null;
  /** Of the search, 0 to 1. */
  relevance: number | null;
  /** Template, or prompt and model, that made the row. */
  madeBy: Readonly<Record<string, string>> | null;
  /** What came with the row (metadata of uploaded rows, title, path). */
  metadata: Readonly<Record<string, unknown>>;
}

const lines = (messages: ChatMessage[]): string => messages.map(({ content }) => content).join('\n');

/** The whole text of a row, its parts joined by line breaks; what length, language and duplicates look at. */
export function textOfRow(row: TrainingRow): string {
  switch (row.kind) {
    case 'messages':
      return lines(row.messages);
    case 'preference':
      return lines([...row.prompt, ...row.chosen, ...row.rejected]);
    case 'kto':
      return lines([...row.prompt, ...row.completion]);
    case 'text':
      return row.text;
  }
}
