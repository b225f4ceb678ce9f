import type { StoredChunk, StoredDocument } from '../../modules/documents/replica.port.js';
import { cleanText } from '../stores/clean-text.js';

/**
 * What ties a chunk to a node that others may share. `is`: the provision that it stands in; `refers`: one that it names;
 * `section`: the innermost heading; `tag`: of the document, tied to its first chunk; `term`: one that the chunk says.
 */
export const linkKinds = ['is', 'refers', 'section', 'tag', 'term'] as const;
export type LinkKind = (typeof linkKinds)[number];

export interface Link {
  kind: LinkKind;
  /** Equal for all that share the node. */
  key: string;
  /** The node as people read it. */
  label: string;
  chunkId: string;
}

const MOST_REFERENCES = 200;
const MOST_TAGS = 100;
const LONGEST_KEY = 300;

/** All ties of a document, no two alike. */
export function linksOf(document: StoredDocument): Link[] {
  const chunks = document.chunks.toSorted((a, b) => a.ordinal - b.ordinal);
  const [first] = chunks;
  if (!first) return [];
  const links = [
    ...chunks.flatMap(provisionsOf),
    ...sectionsOf(document.documentId, chunks),
    ...document.tags.slice(0, MOST_TAGS).map((tag) => named('tag', tag, first)),
    ...document.terms.flatMap((term) => saying(term, chunks, first).map((chunk) => named('term', term, chunk))),
  ];
  return [...new Map(links.map((link) => [JSON.stringify([link.kind, link.key, link.chunkId]), link])).values()];
}

function provisionsOf({ chunkId, provision, references }: StoredChunk): Link[] {
  const link = (kind: LinkKind, name: string): Link => {
    const key = shortened(cleanText(name));
    return { kind, key, label: key, chunkId };
  };
  const others = references.slice(0, MOST_REFERENCES).map((name) => link('refers', name));
  return provision === null ? others : [link('is', provision), ...others];
}

function sectionsOf(documentId: string, chunks: readonly StoredChunk[]): Link[] {
  const numbers = new Map<string, number>();
  return chunks.flatMap(({ chunkId, path }) => {
    if (path.length === 0) return [];
    const name = JSON.stringify(path);
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return [{ kind: 'section', key: `${documentId}/${number}`, label: cleanText(path.join(' > ')), chunkId }];
  });
}

function named(kind: LinkKind, name: string, { chunkId }: StoredChunk): Link {
  const label = cleanText(name);
  return { kind, key: shortened(folded(label)), label, chunkId };
}

/** The chunks that say the term as a word; a term that none says so stands for the document by its first chunk. */
function saying(term: string, chunks: readonly StoredChunk[], first: StoredChunk): StoredChunk[] {
  const wanted = folded(term);
  if (wanted === '') return [];
  const found = chunks.filter(({ content }) => says(folded(content), wanted));
  return found.length > 0 ? found : [first];
}

function says(text: string, wanted: string): boolean {
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1))
    if (!isLetter(text.charAt(at - 1)) && !isLetter(text.charAt(at + wanted.length))) return true;
  return false;
}

const isLetter = (character: string): boolean => /[\p{L}\p{N}]/u.test(character);
const folded = (text: string): string => text.normalize('NFC').toLowerCase();
const shortened = (text: string): string => cleanText(text.slice(0, LONGEST_KEY));
