import type { RowForm } from '../dataset-record.js';
import type { Passage } from '../questions/passage.js';
import { questionRows } from '../questions/question-rows.js';
import type { RowOrigin } from '../training-row.js';
import type { Candidate } from './candidate.js';

/** The rows of a passage: its text, or questions about it. */
export function passageCandidates(passage: Passage, form: RowForm, source: 'search' | 'document'): Candidate[] {
  const origin: RowOrigin = {
    source,
    documentId: passage.documentId,
    documentVersion: passage.documentVersion,
    chunkId: passage.chunkId,
    relevance: passage.relevance,
    madeBy: null,
    metadata: passage.metadata,
  };
  const place = { document: passage.documentId, part: passage.provision ?? passage.chunkId };
  if (form === 'text')
    return passage.content.trim() === '' ? [] : [{ row: { kind: 'text', text: passage.content }, origin, ...place }];
  return questionRows(passage).map(({ row, template }) => ({
    row,
    origin: { ...origin, source: 'synthetic', madeBy: { template, from: source } },
    ...place,
  }));
}
