const letters: Readonly<Record<string, string>> = { ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss' };

/** In lower case and without accents; German letters as they are spelled without them. */
export const plainLetters = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[äöüß]/g, (letter) => letters[letter] ?? letter)
    .normalize('NFD')
    .replace(/\p{M}/gu, '');

/** A base model in ids and lists: the last part of its hub id or folder, out of `[a-z0-9.-]`. */
export const baseSlug = (model: string): string =>
  plainLetters(
    model
      .replace(/[/\\]+$/, '')
      .split(/[/\\]/)
      .at(-1) ?? '',
  )
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '') || 'base';

/** A base that is known by its GGUF file only. */
export const ggufSlug = (path: string): string => baseSlug(path.replace(/\.gguf$/i, ''));

/** What the base model that is made on the spot is called. */
export const MADE_BASE = 'clara-base';
