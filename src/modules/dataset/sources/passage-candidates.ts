import type { RowForm } from '../dataset-record.js';
import type { Passage } from '../questions/passage.js';
import { questionRows } from '../questions/question-rows.js';
import type { RowOrigin } from '../training-row.js';
import type { Candidate } from './candidate.js';

export const originOf = (passage: Passage, source: RowOrigin['source']): RowOrigin => ({
  source,
  documentId: passage.documentId,
  documentVersion: passage.documentVersion,
  chunkId: passage.chunkId,
  relevance: passage.relevance,
  madeBy: null,
  metadata: passage.metadata,
});

/** What stays on one side of the split. */
export const splitPlaceOf = (passage: Passage): Pick<Candidate, 'document' | 'part'> => ({
  document: passage.documentId,
  part: passage.provision ?? passage.chunkId,
});

/** The rows of a passage: its text, or questions about it by templates. */
export function passageCandidates(passage: Passage, form: RowForm, from: 'search' | 'document'): Candidate[] {
  const place = splitPlaceOf(passage);
  if (form === 'questions')
    return questionRows(passage).map(({ row, template }) => ({
      row,
      origin: { ...originOf(passage, 'synthetic'), madeBy: { template, from } },
      ...place,
    }));
  if (passage.content.trim() === '') return [];
  return [{ row: { kind: 'text', text: passage.content }, origin: originOf(passage, from), ...place }];
}
