import { readRows, UnreadableRows } from '../formats/read-file.js';
import { isFields } from '../formats/row-problem.js';
import type { RowOrigin } from '../training-row.js';
import type { VersionSource } from '../dataset-record.js';
import { BuildFailure, type Candidate, type SourceTools } from './candidate.js';

type FileSource = Extract<VersionSource, { kind: 'file' }>;

const sources = ['synthetic', 'feedback'] as const;

const isMaker = (value: unknown): value is Readonly<Record<string, string>> =>
  isFields(value) && Object.values(value).every((part) => typeof part === 'string');

/** What an export of ours says of its rows is kept: who made them, and of what. */
function originOf(metadata: Readonly<Record<string, unknown>>): RowOrigin {
  const { metadata: inner, relevance_score: relevance, source, ...rest } = metadata;
  const known = sources.find((name) => name === source);
  const { made_by: maker, ...nested } = isFields(inner) ? inner : {};
  return {
    source: known ?? 'upload',
    documentId: null,
    documentVersion: null,
    chunkId: null,
    relevance: typeof relevance === 'number' && relevance >= 0 && relevance <= 1 ? relevance : null,
    madeBy: known && isMaker(maker) ? maker : null,
    metadata: {
      ...nested,
      ...rest,
      ...(known || maker === undefined ? {} : { made_by: maker }),
      ...(source === undefined || known ? {} : { source }),
    },
  };
}

/** The rows of a file. @throws BuildFailure telling the places of the rows that cannot be read */
export async function* fileCandidates(source: FileSource, { signal }: SourceTools): AsyncGenerator<Candidate> {
  try {
    for await (const { row, metadata } of readRows(source.path, signal)) {
      const origin = originOf(metadata);
      const document = origin.metadata['document_id'];
      yield { row, origin, document: typeof document === 'string' && document !== '' ? document : null, part: null };
    }
  } catch (error) {
    if (error instanceof UnreadableRows) throw new BuildFailure(`${source.name}: ${error.message}`);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new BuildFailure(`${source.name}: the file is gone; send it again`);
    throw error;
  }
}
