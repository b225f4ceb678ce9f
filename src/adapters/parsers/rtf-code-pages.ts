import iconv from 'iconv-lite';

/** Code pages of \fcharset (RTF 1.9.1, "Font table"). */
const charsets: Readonly<Record<number, string>> = {
  0: 'windows-1252',
  77: 'macintosh',
  128: 'shift_jis',
  129: 'cp949',
  134: 'gbk',
  136: 'big5',
  161: 'windows-1253',
  162: 'windows-1254',
  163: 'windows-1258',
  177: 'windows-1255',
  178: 'windows-1256',
  186: 'windows-1257',
  204: 'windows-1251',
  222: 'windows-874',
  238: 'windows-1250',
  254: 'cp437',
};

/** Null: the document's own. */
export const pageOfCharset = (charset: number): string | null => charsets[charset] ?? null;

const words: Readonly<Record<string, string>> = { ansi: 'windows-1252', mac: 'macintosh', pc: 'cp437', pca: 'cp850' };

/** The code page that \ansi, \mac, \pc, \pca or \ansicpgN sets; null for any other word. */
export function documentPage(word: string, value: number | null): string | null {
  if (word !== 'ansicpg') return words[word] ?? null;
  if (value === 65001) return 'utf-8';
  const name = `cp${value}`;
  return iconv.encodingExists(name) ? name : 'windows-1252';
}

/** Words that stand for a character. */
export const characters: Readonly<Record<string, string>> = {
  tab: '\t',
  line: '\n',
  nbsp: '\u00A0',
  softhyphen: '',
  nbhyphen: '-',
  emdash: '—',
  endash: '–',
  lquote: '‘',
  rquote: '’',
  ldblquote: '“',
  rdblquote: '”',
  bullet: '•',
  emspace: ' ',
  enspace: ' ',
  qmspace: ' ',
};
