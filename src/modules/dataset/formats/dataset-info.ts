import type { TrainingRow } from '../training-row.js';
import { RowProblem, type Fields } from './row-problem.js';
import { writeNative } from './write-row.js';

const TAGS = {
  role_tag: 'role',
  content_tag: 'content',
  user_tag: 'user',
  assistant_tag: 'assistant',
  system_tag: 'system',
  observation_tag: 'tool',
};

/** An entry of LLaMA-Factory's dataset_info.json for a file of rows of one kind (its data/README.md). */
function entryOf(kind: TrainingRow['kind'], file: string): Fields {
  const chat = { file_name: file, formatting: 'sharegpt', tags: TAGS };
  switch (kind) {
    case 'messages':
      return { ...chat, columns: { messages: 'messages' } };
    case 'preference':
      return { ...chat, ranking: true, columns: { messages: 'prompt', chosen: 'chosen', rejected: 'rejected' } };
    case 'kto':
      return { ...chat, columns: { messages: 'messages', kto_tag: 'kto_tag' } };
    case 'text':
      return { file_name: file, columns: { prompt: 'text' } };
  }
}

/** A row as LLaMA-Factory takes it: of a preference, each answer is one message. @throws RowProblem */
export function llamaFactoryRow(row: TrainingRow): Fields {
  if (row.kind !== 'preference') return writeNative(row);
  const { prompt, chosen, rejected } = row;
  if (chosen.length !== 1 || rejected.length !== 1)
    throw new RowProblem('has an answer of several messages, which LLaMA-Factory cannot rank; use preference');
  return { prompt, chosen: chosen[0], rejected: rejected[0] };
}

/** Letters, digits and _ : a name on a command line. */
const plainName = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase() || 'dataset';

/**
 * The text of dataset_info.json: names as `<set>_<split>`, with the kind behind where the set has several.
 * @param files each with what it holds
 */
export function datasetInfo(
  name: string,
  files: readonly { file: string; kind: TrainingRow['kind']; split: string }[],
): string {
  const several = new Set(files.map(({ kind }) => kind)).size > 1;
  const entries = files.map(({ file, kind, split }) => [
    `${plainName(name)}_${split}${several ? `_${kind}` : ''}`,
    entryOf(kind, file),
  ]);
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}
