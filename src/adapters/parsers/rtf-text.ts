import iconv from 'iconv-lite';
import { UnreadableFile, type Block } from '../../modules/documents/document-parser.port.js';
import { characters, documentPage, pageOfCharset } from './rtf-code-pages.js';
import type { RtfToken } from './rtf-tokens.js';
import { paragraphBlocks } from './plain-paragraphs.js';
import { tableBlocks } from './table-rows.js';

interface Group {
  /** What the text of the group is for. */
  into: 'body' | 'fonts' | 'styles' | 'title' | 'author' | 'nothing';
  font: number;
  /** Bytes that stand for a \u character where it cannot be shown. */
  fallback: number;
  /** A footnote within a paragraph. */
  note: boolean;
}

const DEEPEST = 10_000;
/** Destinations whose text is not that of the document. */
const NOT_TEXT =
  /^(?:colortbl|filetbl|pict|object|objdata|header[lrf]?|footer[lrf]?|info|themedata|datastore|latentstyles|listtable|listoverridetable|rsidtbl|generator|xmlnstbl|fldinst|bkmkstart|bkmkend|annotation|atnid|atnauthor|pntext|nonshppict|revtbl|mmathPr|listtext)$/;

/** The state of a RTF reader: groups, fonts with their code pages, styles, the open paragraph. */
export class RtfText {
  readonly blocks: Block[] = [];
  readonly facts: Record<'title' | 'author', string> = { title: '', author: '' };
  #groups: Group[] = [{ into: 'body', font: -1, fallback: 1, note: false }];
  #page = 'windows-1252';
  #defaultFont = 0;
  #fontPages = new Map<number, string>();
  #font = 0;
  #headings = new Map<number, number>();
  #styleName = '';
  #style = 0;
  #bytes: number[] = [];
  #skip = 0;
  #star = false;
  #text: string[] = [];
  #level: number | null = null;
  #rows: string[][] = [];
  #cells: string[] | null = null;

  take(token: RtfToken): void {
    if (token.kind === 'byte') {
      if (this.#skip > 0) this.#skip--;
      // Pictures are long: what nobody reads is not kept.
      else if (this.#group.into !== 'nothing' && this.#group.into !== 'fonts') this.#bytes.push(token.byte);
      return;
    }
    this.#decode();
    if (token.kind === 'open') this.#open();
    else if (token.kind === 'close') this.#close();
    else this.#word(token.name, token.value);
  }

  end(): void {
    this.#decode();
    this.#endParagraph();
    this.#endTable();
  }

  get #group(): Group {
    return this.#groups.at(-1) ?? { into: 'nothing', font: -1, fallback: 1, note: false };
  }

  #open(): void {
    if (this.#groups.length > DEEPEST)
      throw new UnreadableFile('broken', `The RTF file is nested deeper than ${DEEPEST} groups`);
    this.#groups.push({ ...this.#group });
    this.#skip = 0;
  }

  #close(): void {
    const closed = this.#group;
    if (this.#groups.length > 1) this.#groups.pop();
    this.#skip = 0;
    this.#star = false;
    if (closed.note && !this.#group.note) this.#text.push(')');
    if (closed.into === 'styles' && this.#styleName) {
      const level = /^(?:heading|überschrift)\s*([1-9])/i.exec(this.#styleName.trim())?.[1];
      if (level) this.#headings.set(this.#style, Math.min(6, Number(level)));
      this.#styleName = '';
    }
  }

  /** Bytes are decoded together: a character may have two. */
  #decode(): void {
    if (this.#bytes.length === 0) return;
    const { font } = this.#group;
    const page = this.#fontPages.get(font < 0 ? this.#defaultFont : font) ?? this.#page;
    const text = iconv.decode(Buffer.from(this.#bytes), page);
    this.#bytes = [];
    this.#add(text);
  }

  #add(text: string): void {
    const { into } = this.#group;
    if (into === 'body') this.#text.push(text);
    else if (into === 'styles') this.#styleName += text.replaceAll(';', '');
    else if (into === 'title' || into === 'author') this.facts[into] += text;
  }

  #word(name: string, value: number | null): void {
    const group = this.#group;
    if (name === '*') {
      this.#star = true;
      return;
    }
    if (this.#destination(name, group) || group.into === 'nothing') return;
    if (name === 'u' && value !== null) this.#unicode(value, group);
    else if (name === 'uc') group.fallback = Math.max(0, Math.min(16, value ?? 1));
    else if (name in characters) this.#add(characters[name] ?? '');
    else if (group.into === 'body') this.#bodyWord(name, value, group);
    else this.#tableWord(name, value);
  }

  #destination(name: string, group: Group): boolean {
    const starred = this.#star;
    this.#star = false;
    if (name === 'fonttbl') group.into = 'fonts';
    else if (name === 'stylesheet') group.into = 'styles';
    else if ((name === 'title' || name === 'author') && group.into === 'nothing') group.into = name;
    else if (name === 'footnote' && group.into === 'body' && !group.note) {
      group.note = true;
      this.#text.push(' (');
    } else if (NOT_TEXT.test(name) || (starred && group.into === 'body' && name !== 'shptxt')) group.into = 'nothing';
    else return false;
    return true;
  }

  #unicode(value: number, group: Group): void {
    // The format counts in signed 16 bits; pairs of surrogates come as two.
    this.#add(String.fromCharCode(value < 0 ? value + 65_536 : value));
    this.#skip = group.fallback;
  }

  #tableWord(name: string, value: number | null): void {
    if (name === 'f') this.#font = value ?? 0;
    if (name === 'fcharset') {
      const page = pageOfCharset(value ?? 0);
      if (page && value !== 0) this.#fontPages.set(this.#font, page);
    }
    if (name === 's') this.#style = value ?? 0;
  }

  #bodyWord(name: string, value: number | null, group: Group): void {
    const page = documentPage(name, value);
    if (page) this.#page = page;
    else if (name === 'deff') this.#defaultFont = value ?? 0;
    else if (name === 'f') group.font = value ?? 0;
    else if (name === 'par' || name === 'sect' || name === 'page') this.#endParagraph();
    else if (name === 'pard') this.#level = null;
    else if (name === 's') this.#level = this.#headings.get(value ?? 0) ?? null;
    else if (name === 'outlinelevel' && value !== null && value < 9) this.#level ??= Math.min(6, value + 1);
    else if (name === 'trowd') this.#cells ??= [];
    else if (name === 'cell') this.#endCell();
    else if (name === 'row') this.#endRow();
  }

  #takeText(): string {
    const text = this.#text.join('').replace(/\(\s+/g, '(').trim();
    this.#text = [];
    return text;
  }

  #endParagraph(): void {
    if (this.#cells || this.#group.note) {
      this.#text.push(' ');
      return;
    }
    const text = this.#takeText();
    if (text === '') return;
    this.#endTable();
    if (this.#level !== null) this.blocks.push({ kind: 'heading', level: this.#level, text });
    else this.blocks.push(...paragraphBlocks([text]));
  }

  #endCell(): void {
    (this.#cells ??= []).push(this.#takeText());
  }

  #endRow(): void {
    if (this.#cells) this.#rows.push(this.#cells);
    this.#cells = null;
  }

  #endTable(): void {
    if (this.#rows.length > 0) this.blocks.push(...tableBlocks(this.#rows));
    this.#rows = [];
  }
}
