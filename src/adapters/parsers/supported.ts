import { documentKinds, pictureKinds, type DocumentKind } from '../../modules/documents/document-parser.port.js';
import { archiveKinds, type ArchiveKind } from '../../modules/documents/archive-reader.port.js';
import { extensionOf } from './text-kind.js';

type Category = 'text' | 'office' | 'web' | 'data' | 'mail' | 'picture' | 'archive';

/** Each kind of document: where it is listed, and the extensions that it goes by. */
const documents: Readonly<Record<DocumentKind, { category: Category; extensions: readonly string[] }>> = {
  pdf: { category: 'office', extensions: ['pdf'] },
  docx: { category: 'office', extensions: ['docx', 'docm', 'dotx'] },
  doc: { category: 'office', extensions: ['doc'] },
  xlsx: { category: 'office', extensions: ['xlsx', 'xlsm'] },
  xls: { category: 'office', extensions: ['xls'] },
  pptx: { category: 'office', extensions: ['pptx', 'pptm'] },
  odt: { category: 'office', extensions: ['odt'] },
  rtf: { category: 'office', extensions: ['rtf'] },
  html: { category: 'web', extensions: ['html', 'htm', 'xhtml'] },
  md: { category: 'text', extensions: ['md', 'markdown'] },
  txt: { category: 'text', extensions: ['txt', 'text', 'log'] },
  csv: { category: 'data', extensions: ['csv'] },
  tsv: { category: 'data', extensions: ['tsv', 'tab'] },
  json: { category: 'data', extensions: ['json', 'jsonl', 'ndjson'] },
  xml: { category: 'data', extensions: ['xml'] },
  eml: { category: 'mail', extensions: ['eml'] },
  png: { category: 'picture', extensions: ['png'] },
  jpg: { category: 'picture', extensions: ['jpg', 'jpeg'] },
};

const archives: Readonly<Record<ArchiveKind, readonly string[]>> = {
  zip: ['zip'],
  tar: ['tar'],
  gz: ['gz', 'tgz'],
  rar: ['rar'],
};

const allKinds = [...documentKinds, ...pictureKinds];

/** The kind that a name promises; null where it promises none. */
export const kindOfName = (filename: string): DocumentKind | null =>
  allKinds.find((kind) => documents[kind].extensions.includes(extensionOf(filename))) ?? null;

export interface SupportedFileTypes {
  /** Extensions with their dot. */
  categories: Record<Exclude<Category, 'picture'>, string[]> & { picture?: string[] };
  all_extensions: string[];
}

const extensionsOf = (category: Category): string[] =>
  allKinds
    .filter((kind) => documents[kind].category === category)
    .flatMap((kind) => documents[kind].extensions.map((extension) => `.${extension}`));

/** What can be uploaded, by the parsers and archive readers that are there. */
export function supportedFileTypes(pictures: 'pictures' | 'no pictures'): SupportedFileTypes {
  const categories = {
    text: extensionsOf('text'),
    office: extensionsOf('office'),
    web: extensionsOf('web'),
    data: extensionsOf('data'),
    mail: extensionsOf('mail'),
    ...(pictures === 'pictures' ? { picture: extensionsOf('picture') } : {}),
    archive: archiveKinds.flatMap((kind) => archives[kind].map((extension) => `.${extension}`)),
  };
  return { categories, all_extensions: Object.values(categories).flat().toSorted() };
}
