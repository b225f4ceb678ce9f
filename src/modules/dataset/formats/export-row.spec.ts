import type { VersionRow } from '../version-row.js';
import { datasetInfo, llamaFactoryRow } from './dataset-info.js';
import { exportRow, fileOf, exportFormats } from './export-row.js';

const row: VersionRow = {
  ordinal: 0,
  split: 'train',
  hash: 'a',
  row: { kind: 'text', text: 'Ein Text' },
  origin: {
    source: 'search',
    documentId: 'd1',
    documentVersion: 2,
    chunkId: 'c1',
    relevance: 0.8,
    madeBy: null,
    metadata: { title: 'VwVfG' },
  },
  quality: 0.7,
  check_score: null,
  findings: [],
  tokens: 2,
};

describe('an exported row', () => {
  it('has the fields of the original', () =>
    expect(exportRow(row, 'jsonl', 'with metadata')).toEqual([
      {
        text: 'Ein Text',
        metadata: { title: 'VwVfG', split: 'train', chunk_id: 'c1' },
        source: 'uds3_search',
        quality_score: 0.7,
        document_id: 'd1',
        relevance_score: 0.8,
      },
    ]));

  it('has the columns of the original as csv, in their order', () =>
    expect(Object.keys(exportRow(row, 'csv', 'with metadata')[0] ?? {})).toEqual([
      'document_id',
      'text',
      'source',
      'quality_score',
      'relevance_score',
    ]));

  it('is only the row without metadata', () => {
    for (const format of ['jsonl', 'json', 'csv', 'parquet'] as const)
      expect(exportRow(row, format, 'without metadata')).toEqual([{ text: 'Ein Text' }]);
  });

  it('has a file name and type in every format', () =>
    expect(new Set(exportFormats.map((format) => fileOf(format).extension)).size).toBe(exportFormats.length));
});

describe('dataset_info.json', () => {
  it('names each file with what stands in it', () => {
    const files = [
      { file: 'messages-train.jsonl', kind: 'messages', split: 'train' },
      { file: 'preference-train.jsonl', kind: 'preference', split: 'train' },
    ] as const;
    expect(JSON.parse(datasetInfo('Bau Genehmigung ÄÖ', files))).toEqual({
      bau_genehmigung_ao_train_messages: expect.objectContaining({
        formatting: 'sharegpt',
        columns: { messages: 'messages' },
      }),
      bau_genehmigung_ao_train_preference: expect.objectContaining({
        ranking: true,
        file_name: 'preference-train.jsonl',
      }),
    });
    expect(Object.keys(JSON.parse(datasetInfo('a', files.slice(0, 1))) as object)).toEqual(['a_train']);
  });

  it('takes one message for each answer of a preference', () => {
    const answer = { role: 'assistant' as const, content: 'a' };
    const preference = { kind: 'preference' as const, prompt: [], chosen: [answer], rejected: [answer] };
    expect(llamaFactoryRow(preference)).toEqual({ prompt: [], chosen: answer, rejected: answer });
    expect(() => llamaFactoryRow({ ...preference, chosen: [answer, answer] })).toThrow('several messages');
  });
});
