import type { VersionSource } from '../dataset-record.js';
import type { Passage } from '../questions/passage.js';
import type { Candidate, SourceTools } from './candidate.js';
import { documentPassages } from './document-source.js';
import { fileCandidates } from './file-source.js';
import { passageCandidates } from './passage-candidates.js';
import { searchPassages } from './search-source.js';
import { WrittenCandidates } from './written-candidates.js';

/** The rows of a source, one after the other. @throws BuildFailure */
export function candidatesOf(source: VersionSource, tools: SourceTools): AsyncGenerator<Candidate> {
  switch (source.kind) {
    case 'search':
      return rowsOf(searchPassages(source, tools), 'search', tools);
    case 'documents':
      return rowsOf(documentPassages(source, tools), 'document', tools);
    case 'file':
      return fileCandidates(source, tools);
  }
}

async function* rowsOf(
  passages: AsyncIterable<Passage>,
  from: 'search' | 'document',
  tools: SourceTools,
): AsyncGenerator<Candidate> {
  if (tools.writing) yield* new WrittenCandidates(tools.writing, tools).of(passages, from);
  else for await (const passage of passages) yield* passageCandidates(passage, tools.rowForm, from);
}
