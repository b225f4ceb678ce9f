import type { DocumentKind } from './document-parser.port.js';
import type { ReaderKey } from './replica.port.js';

/** A piece of a document that is searched and embedded as one, before it has an id. */
export interface NewChunk {
  /** Place in the document, from 0. */
  ordinal: number;
  content: string;
  /** Headings above it, outermost first, each at most 300 characters. */
  path: string[];
  /** Canonical key of the provision that it stands in, such as `vwvfg:35`; null outside of laws. */
  provision: string | null;
  /** Where its own text begins; null where the format has no pages. */
  page: number | null;
  /** Canonical keys of the provisions that it refers to, each once, its own left out. */
  references: string[];
  /** Least confidence (0 to 100) of its text that was recognised in pictures; null or unset: none was. */
  ocrConfidence?: number | null;
  /** Of the content, by the given counter. */
  tokens: number;
}

/** Whose a document is, what it is called, and who may read it. */
export interface Belonging {
  owner: string;
  /** With the folders of an archive or a directory; another file of the owner under this name is a new version. */
  name: string;
  readers: ReaderKey[];
  tags: string[];
}

export interface NewDocument extends Belonging {
  sha256: string;
  bytes: number;
  kind: DocumentKind;
  title: string;
  language: string;
  /** Abbreviation of the law that it is; null else. */
  law: string | null;
  terms: string[];
  metadata: Readonly<Record<string, string>>;
  warnings: string[];
  pages: number | null;
  characters: number;
  chunks: NewChunk[];
}

export interface Published {
  documentId: string;
  version: number;
  chunks: number;
  characters: number;
  warnings: string[];
}

/** Makes documents part of what can be found. */
export abstract class DocumentPublication {
  /** The current document of these very bytes that this upload may join, which takes on its name; null: none. */
  abstract known(sha256: string, belonging: Belonging): Promise<Published | null>;
  /** Writes the document or its new version, in one transaction: then it is found by word, and the stores are asked to follow. */
  abstract publish(document: NewDocument): Promise<Published>;
}
