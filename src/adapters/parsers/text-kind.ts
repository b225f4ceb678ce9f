import type { DocumentKind } from '../../modules/documents/document-parser.port.js';

/** What the name of a file suggests; by lower-case extension without the dot. */
const suggestions: Readonly<Record<string, DocumentKind>> = {
  html: 'html',
  htm: 'html',
  xhtml: 'html',
  md: 'md',
  markdown: 'md',
  txt: 'txt',
  text: 'txt',
  log: 'txt',
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  json: 'json',
  jsonl: 'json',
  ndjson: 'json',
  xml: 'xml',
  eml: 'eml',
  rtf: 'rtf',
};

export const extensionOf = (filename: string): string => /\.([^./\\]{1,16})$/.exec(filename)?.[1]?.toLowerCase() ?? '';

const HTML_TAGS =
  /^<(?:!doctype\s+html|html|head|body|title|meta|div|p|h[1-6]|table|ul|ol|section|article|main|span|a|br|center|font|script|style)\b/i;
const MAIL_HEADER =
  /^(?:from|to|cc|bcc|subject|date|received|message-id|mime-version|content-type|return-path|delivered-to|reply-to|sender|x-[\w-]+|dkim-signature|content-transfer-encoding|in-reply-to|references|list-[\w-]+|authentication-results|arc-[\w-]+)$/i;

/**
 * The kind of a text by its first characters; the name decides only where they do not.
 * @param start the first characters, at most some 64,000
 */
export function textKind(start: string, filename: string): DocumentKind {
  const text = start.trimStart();
  const hint = suggestions[extensionOf(filename)];
  if (text.startsWith('{\\rtf')) return 'rtf';
  const markup = markupKind(text, hint);
  if (markup) return markup;
  if (isMail(start)) return 'eml';
  if (looksLikeJson(text, hint)) return 'json';
  if (hint === 'csv' || hint === 'tsv') return tableKind(text) ?? hint;
  if (hint === 'md' || hint === 'txt') return hint;
  return tableKind(text, 5) ?? (looksLikeMarkdown(start) ? 'md' : 'txt');
}

function markupKind(text: string, hint: DocumentKind | undefined): 'html' | 'xml' | null {
  if (!text.startsWith('<'))
    return hint === 'html' && /<(?:p|div|h[1-6]|body|table|br)\b[^>]*>/i.test(text) ? 'html' : null;
  const body = text.replace(/^(?:<\?[^>]{0,1000}\?>|<!--[\s\S]{0,10000}?-->|\s)+/, '');
  if (/^<!doctype\s+html|^<html\b/i.test(body)) return 'html';
  if (/^<\?xml\b/i.test(text)) return 'xml';
  if (hint === 'md' || hint === 'txt') return null;
  if (hint === 'html' || (hint !== 'xml' && HTML_TAGS.test(body))) return 'html';
  return hint === 'xml' || /^<(?:[A-Za-z_][\w.:-]*(?:\s|\/?>)|!DOCTYPE\s|!\[CDATA)/.test(body) ? 'xml' : null;
}

/** Header lines of a mail up to the first empty line, two known ones at least. */
function isMail(start: string): boolean {
  const lines = start.replace(/^\uFEFF/, '').split(/\r\n|\n/, 200);
  const first = lines[0]?.startsWith('From ') ? 1 : 0;
  const names: string[] = [];
  for (const line of lines.slice(first)) {
    if (line === '') break;
    if (/^[ \t]/.test(line) && names.length > 0) continue;
    const name = /^([A-Za-z][\w-]{1,60}):/.exec(line)?.[1];
    if (!name) return false;
    names.push(name);
  }
  return (
    names.filter((name) => MAIL_HEADER.test(name)).length >= 2 &&
    names.some((name) => /^(?:from|received|message-id|mime-version|return-path|to|subject)$/i.test(name))
  );
}

function looksLikeJson(text: string, hint: DocumentKind | undefined): boolean {
  const first = text[0];
  if (first !== '{' && first !== '[') return false;
  return (
    hint === 'json' ||
    /^(?:\{\s*(?:"(?:[^"\\]|\\.){0,200}"\s*:|\}\s*$)|\[\s*(?:[[{"\d-]|true|false|null|\]\s*$))/.test(text)
  );
}

const even = (all: readonly number[], columns: number): boolean =>
  (all[0] ?? 0) >= columns && all.every((count) => count === all[0]);

/**
 * `tsv` or `csv` where the first lines have the same number of columns.
 * @param least lines that must agree; prose has commas too
 */
function tableKind(text: string, least = 1): 'csv' | 'tsv' | null {
  const lines = text
    .split(/\r\n|\n|\r/, 20)
    .slice(0, 19)
    .filter((line) => line !== '');
  if (lines.length < least) return null;
  const counts = (delimiter: string): number[] => lines.map((line) => line.split(delimiter).length - 1);
  if (even(counts('\t'), 1)) return 'tsv';
  if (least === 1) return /[;,|]/.test(lines[0] ?? '') ? 'csv' : null;
  return even(counts(';'), 2) || even(counts(','), 2) ? 'csv' : null;
}

function looksLikeMarkdown(start: string): boolean {
  if (/^---\r?\n(?:[\w-]+:.*\r?\n){1,100}---\r?\n/.test(start)) return true;
  const marks = [
    /^#{1,6} \S/m,
    /^\s*[-*+] \S/m,
    /\[[^\]\n]{1,200}\]\([^)\n]{1,500}\)/,
    /^(?:```|~~~)/m,
    /\*\*[^*\n]{1,200}\*\*/,
  ];
  return (/^#{1,6} \S/.test(start.trimStart()) ? 1 : 0) + marks.filter((mark) => mark.test(start)).length >= 2;
}
