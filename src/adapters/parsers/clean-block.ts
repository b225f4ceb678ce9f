import type { Block } from '../../modules/documents/document-parser.port.js';

/** Longer blocks are handed on in parts that end at a space. */
const LONGEST = 32_768;

/** Characters that no store keeps or no reader sees. */
// oxlint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u200B\u2060\uFEFF]/g;

/** The sign before an item says no more than its kind. */
const BULLET = /^[-–—•*·▪◦]\s+/u;

/** Where symbol fonts put their bullets. */
const SYMBOLS = /[\uF020-\uF0FF]/g;

/** Text as it is kept: composed characters, no controls, no halves of surrogate pairs. */
export const cleanText = (text: string): string =>
  text
    .replace(/\p{Surrogate}/gu, '\uFFFD')
    .normalize('NFC')
    .replace(UNSEEN, '')
    .replace(SYMBOLS, '•');

const flowing = (text: string): string =>
  text
    .replace(/[ \t\u00A0\u2000-\u200A\u202F\u3000]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{2,}/g, '\n')
    .trim();

/** The block with its text cleaned, in parts where it is too long; none where it has no text. */
export function cleanBlocks(block: Block): Block[] {
  const cleaned = cleanText(block.text);
  const text = block.kind === 'code' ? cleaned.replace(/^\n+|\s+$/g, '') : flowing(cleaned);
  if (text === '') return [];
  if (block.kind === 'list_item' && BULLET.test(text)) return cleanBlocks({ ...block, text: text.replace(BULLET, '') });
  if (block.kind === 'heading')
    return text.length > 500 ? cleanBlocks(asParagraph(block, text)) : [{ ...block, text: text.replaceAll('\n', ' ') }];
  return text.length <= LONGEST ? [{ ...block, text }] : partsOf(text).map((part) => ({ ...block, text: part }));
}

const asParagraph = ({ page, ocr }: Block, text: string): Block => ({
  kind: 'paragraph',
  text,
  ...(page === undefined ? {} : { page }),
  ...(ocr === undefined ? {} : { ocr }),
});

function partsOf(text: string): string[] {
  const parts: string[] = [];
  for (let from = 0; from < text.length;) {
    const space = text.lastIndexOf(' ', from + LONGEST);
    const whole = from + LONGEST >= text.length;
    const to = whole ? text.length : space > from ? space : endOfCharacter(text, from + LONGEST);
    parts.push(text.slice(from, to).trim());
    from = to;
  }
  return parts.filter((part) => part !== '');
}

/** Never between the halves of a surrogate pair. */
const endOfCharacter = (text: string, at: number): number => (/[\uDC00-\uDFFF]/.test(text.charAt(at)) ? at - 1 : at);
