import { hash } from 'node:crypto';

/** NFKC, lower case, letters and digits only, single spaces: what two texts must share to count as the same. */
export const normalised = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();

/** SHA-256 of the normalised text, as hexadecimal digits. */
export const contentHash = (text: string): string => hash('sha256', normalised(text));

/** Also ä as ae, ß as ss and no accents: for comparing with lists of words. */
export const folded = (text: string): string =>
  normalised(text)
    .replaceAll('ä', 'ae')
    .replaceAll('ö', 'oe')
    .replaceAll('ü', 'ue')
    .replaceAll('ß', 'ss')
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '');

/** Words of a text, for counting. */
export const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*/gu) ?? [];
