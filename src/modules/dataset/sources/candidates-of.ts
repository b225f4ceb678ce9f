import type { VersionSource } from '../dataset-record.js';
import type { Candidate, SourceTools } from './candidate.js';
import { documentCandidates } from './document-source.js';
import { fileCandidates } from './file-source.js';
import { searchCandidates } from './search-source.js';

/** The rows of a source, one after the other. @throws BuildFailure */
export function candidatesOf(source: VersionSource, tools: SourceTools): AsyncGenerator<Candidate> {
  switch (source.kind) {
    case 'search':
      return searchCandidates(source, tools);
    case 'documents':
      return documentCandidates(source, tools);
    case 'file':
      return fileCandidates(source, tools);
  }
}
