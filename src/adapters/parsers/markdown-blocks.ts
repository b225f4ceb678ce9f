import { lexer, type Token, type Tokens } from 'marked';
import type { Block } from '../../modules/documents/document-parser.port.js';
import { htmlBlocks, plainOfHtml } from './html-blocks.js';
import { rowText } from './table-rows.js';

/** Deeper structure is read as the plain text that it is. */
const DEEPEST = 40;
/** Runs that would make a Markdown lexer work in squares: read as plain text. */
const HOSTILE =
  /(?:>[ \t]*){60}|(?:[-*+] ){60}|[[(*_`~<]{300}|(?:\[[^\]\n]{0,4}){150}|(?:<[^>\n]{0,4}){150}|^ {100,}(?:[-*+]|\d{1,9}[.)]) /m;

/** Marks in one paragraph; the lexer's work grows with their square. */
const MOST_MARKS = 4000;
const isCrowded = (paragraph: string): boolean =>
  paragraph.length > MOST_MARKS && (paragraph.match(/[*_~`[\]<&:]/g)?.length ?? 0) > MOST_MARKS;

/** Blocks of Markdown text that is in memory. */
export function markdownBlocks(text: string): Block[] {
  if (HOSTILE.test(text) || text.split(/\n\s*\n/).some(isCrowded)) return plainBlocks(text);
  try {
    return lexer(text).flatMap((token) => blocksOf(token, 0));
  } catch (error) {
    // The lexer calls itself for nested structure: what is too deep for it is no document's structure.
    if (error instanceof RangeError) return plainBlocks(text);
    throw error;
  }
}

const plainBlocks = (text: string): Block[] =>
  text
    .split(/\n\s*\n/)
    .filter((part) => part.trim() !== '')
    .map((part) => ({ kind: 'paragraph', text: part.trim() }));

const isKind = <K extends Token['type']>(token: Token, kind: K): token is Extract<Token, { type: K }> =>
  token.type === kind;

function blocksOf(token: Token, depth: number): Block[] {
  if (depth > DEEPEST) return [{ kind: 'paragraph', text: token.raw }];
  if (isKind(token, 'heading')) return [{ kind: 'heading', level: token.depth, text: inline(token) }];
  if (isKind(token, 'code')) return [{ kind: 'code', text: token.text }];
  if (isKind(token, 'list')) return token.items.flatMap((item) => itemBlocks(item, depth));
  if (isKind(token, 'blockquote'))
    return (token.tokens ?? [])
      .flatMap((inner) => blocksOf(inner, depth + 1))
      .map((block) => (block.kind === 'paragraph' ? { ...block, kind: 'quote' } : block));
  if (isKind(token, 'table')) return tableBlocks(token);
  if (isKind(token, 'html')) return htmlBlocks(token.text).blocks;
  if (isKind(token, 'paragraph') || isKind(token, 'text')) return [{ kind: 'paragraph', text: paragraphText(token) }];
  return [];
}

/** `Term\n:   meaning`, as laws in Markdown write their facts, is one line. */
const paragraphText = (token: Token): string =>
  inline(token)
    .replace(/\n:\s+/g, ': ')
    .replace(/[ \t]*\n[ \t]*/g, ' ');

function itemBlocks(item: Tokens.ListItem, depth: number): Block[] {
  const marker = /^\s*(\d{1,9}[.)]|[-*+])\s/.exec(item.raw)?.[1] ?? '';
  const number = /\d/.test(marker) ? `${marker} ` : '';
  const inner = item.tokens.flatMap((token) => blocksOf(token, depth + 1));
  const first = inner[0];
  if (first?.kind !== 'paragraph') return number ? [{ kind: 'list_item', text: number.trim() }, ...inner] : inner;
  return [{ kind: 'list_item', text: `${number}${first.text}` }, ...inner.slice(1)];
}

function tableBlocks(table: Tokens.Table): Block[] {
  const headers = table.header.map((cell) => inlineOf(cell.tokens));
  return table.rows.map((row) => ({
    kind: 'table_row',
    text: rowText(
      headers,
      row.map((cell) => inlineOf(cell.tokens)),
    ),
  }));
}

const inline = (token: Token): string => {
  const inner = 'tokens' in token ? token.tokens : undefined;
  return inner
    ? inlineOf(inner)
    : plainOfHtml('text' in token && typeof token.text === 'string' ? token.text : token.raw);
};

function inlineOf(tokens: readonly Token[]): string {
  return tokens
    .map((token) => {
      if (isKind(token, 'br')) return '\n';
      if (isKind(token, 'codespan')) return token.text;
      if (isKind(token, 'html')) return /^<br\b/i.test(token.raw) ? '\n' : '';
      return inline(token);
    })
    .join('');
}
