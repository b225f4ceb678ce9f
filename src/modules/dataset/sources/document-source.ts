import type { VersionSource } from '../dataset-record.js';
import { chunkPassages, provisionPassages, type Passage } from '../questions/passage.js';
import { BuildFailure, type SourceTools } from './candidate.js';

type DocumentsSource = Extract<VersionSource, { kind: 'documents' }>;

const SHOWN_IDS = 10;
export const MOST_DOCUMENTS = 10_000;

async function idsOf({ documentIds, filters }: DocumentsSource, tools: SourceTools): Promise<string[]> {
  if (documentIds) return [...new Set(documentIds)];
  const ids = await tools.documents.matching(filters ?? {}, MOST_DOCUMENTS + 1, tools.caller);
  if (ids.length === 0) throw new BuildFailure('the filters match no document that you may read; use other filters');
  if (ids.length > MOST_DOCUMENTS)
    throw new BuildFailure(`the filters match more than ${MOST_DOCUMENTS} documents; use narrower ones`);
  return ids;
}

/** All passages of the documents, in order. @throws BuildFailure where one is not there for the caller */
export async function* documentPassages(source: DocumentsSource, tools: SourceTools): AsyncGenerator<Passage> {
  const missing = new Set(await idsOf(source, tools));
  for await (const document of tools.documents.documents([...missing], tools.caller)) {
    tools.signal.throwIfAborted();
    missing.delete(document.documentId);
    tools.notes.used(document.documentId, document.readers);
    yield* tools.rowForm === 'text' ? chunkPassages(document) : provisionPassages(document);
  }
  if (missing.size > 0 && source.documentIds)
    throw new BuildFailure(
      `there are no such documents that you may read: ${[...missing].slice(0, SHOWN_IDS).join(', ')}` +
        (missing.size > SHOWN_IDS ? ` and ${missing.size - SHOWN_IDS} more` : ''),
    );
}
