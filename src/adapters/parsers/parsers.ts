import type { DocumentKind } from '../../modules/documents/document-parser.port.js';
import { parseTable } from './csv.js';
import { parseDoc } from './doc.js';
import { parseDocx } from './docx.js';
import { parseMail } from './eml.js';
import { parseHtml } from './html.js';
import { parseJson } from './json.js';
import { parseMarkdown } from './markdown.js';
import { parseOdt } from './odt.js';
import { parsePdf } from './pdf.js';
import { parsePicture } from './picture.js';
import { parsePptx } from './pptx.js';
import { parseRtf } from './rtf.js';
import { parseXls, parseXlsx } from './sheets.js';
import type { Parse } from './source-file.js';
import { parseTxt } from './txt.js';
import { parseXml } from './xml.js';

/** The parser of each kind. */
export const parsers: Readonly<Record<DocumentKind, Parse>> = {
  pdf: parsePdf,
  docx: parseDocx,
  doc: parseDoc,
  xlsx: parseXlsx,
  xls: parseXls,
  pptx: parsePptx,
  odt: parseOdt,
  html: parseHtml,
  md: parseMarkdown,
  txt: parseTxt,
  csv: parseTable,
  tsv: parseTable,
  json: parseJson,
  xml: parseXml,
  eml: parseMail,
  rtf: parseRtf,
  png: parsePicture,
  jpg: parsePicture,
};
