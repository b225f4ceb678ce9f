import type { SearchHit, SearchOutcome } from '../../search/document-search.port.js';
import type { VersionSource } from '../dataset-record.js';
import { passageMetadata, type Passage } from '../questions/passage.js';
import { BuildFailure, type SourceTools } from './candidate.js';
import type { DocumentKind } from '../../documents/document-parser.port.js';

type SearchSource = Extract<VersionSource, { kind: 'search' }>;

const SHOWN_QUERY = 80;

const stateOf = (state: NonNullable<SearchOutcome['signals'][keyof SearchOutcome['signals']]>): string =>
  state.state === 'ok' ? 'ok' : `unavailable: ${state.reason}`;

/** Nothing was found because nothing is there, or because nobody could look. */
function reasonOfNothing({ queryText }: SearchSource, signals: Record<string, string>): string {
  const away = Object.entries(signals).filter(([, state]) => state !== 'ok');
  const told = away.map(([name, state]) => `${name} is ${state}`).join('; ');
  if (away.length > 0 && away.length === Object.keys(signals).length)
    return `nothing could be searched: ${told}. Build a new version once it is back, or ask for another search type`;
  return (
    `the search "${queryText.slice(0, SHOWN_QUERY)}" found nothing that you may read` +
    (told === '' ? '' : ` (${told})`) +
    '; ask with other words, fewer filters or more search types'
  );
}

function passageOf(hit: SearchHit, kind: DocumentKind): Passage {
  const { documentId, version, chunkId, title, filename, path, page, provision, language, content, score } = hit;
  return {
    documentId,
    documentVersion: version,
    chunkId,
    title,
    filename,
    path,
    page,
    provision,
    language,
    content,
    relevance: score,
    metadata: { ...passageMetadata({ ...hit, kind }, hit), found_by: hit.source },
  };
}

/** Kind and readers of the documents that were found; what is gone meanwhile is missing. */
async function documentsOf(hits: readonly SearchHit[], tools: SourceTools): Promise<Map<string, DocumentKind>> {
  const kinds = new Map<string, DocumentKind>();
  const ids = [...new Set(hits.map(({ documentId }) => documentId))];
  for await (const document of tools.documents.documents(ids, tools.caller)) {
    tools.signal.throwIfAborted();
    kinds.set(document.documentId, document.kind);
    tools.notes.used(document.documentId, document.readers);
  }
  return kinds;
}

/** The hits of a search, best first. @throws BuildFailure where it finds nothing */
export async function* searchPassages(source: SearchSource, tools: SourceTools): AsyncGenerator<Passage> {
  const { queryText, topK, filters, signals, weights } = source;
  const { hits, signals: states } = await tools.search.search(
    { queryText, topK, filters, signals, fusion: 'weighted', ...(weights ? { weights } : {}) },
    tools.caller,
  );
  tools.notes.signals = Object.fromEntries(Object.entries(states).map(([name, state]) => [name, stateOf(state)]));
  if (hits.length === 0) throw new BuildFailure(reasonOfNothing(source, tools.notes.signals));
  const kinds = await documentsOf(hits, tools);
  for (const hit of hits) {
    const kind = kinds.get(hit.documentId);
    if (kind) yield passageOf(hit, kind);
    else tools.notes.warnings.push(`document ${hit.documentId} was removed after it was found`);
  }
}
