import { countrySpecs, isValidIBAN } from 'ibantools';
import { isDocumentNumber, isSocialInsuranceNumber, isTaxId, passesLuhn } from './check-digits.js';
import { before, isFileNumber, spansOf, type Span } from './span.js';

const withoutGaps = (text: string): string => text.replaceAll(/[ \u00A0/-]/g, '');

const IBAN_START = /(?<![\p{L}\d])[a-z]{2}\d{2}(?=[ \u00A0-]?[a-z\d])/giu;
const IBAN_LETTER = /[a-z\d]/i;

/** The length is that of the country; groups may be parted by single spaces. */
export function ibans(text: string): Span[] {
  return Array.from(text.matchAll(IBAN_START)).flatMap(({ index }) => {
    const { code, end } = readIban(text, index);
    return code !== '' && isValidIBAN(code) ? [{ start: index, end }] : [];
  });
}

function readIban(text: string, start: number): { code: string; end: number } {
  const length = countrySpecs[text.slice(start, start + 2).toUpperCase()]?.chars ?? 0;
  let [code, at] = ['', start];
  while (code.length < length && at < text.length) {
    const character = text[at] ?? '';
    if (IBAN_LETTER.test(character)) code += character.toUpperCase();
    else if (!/[ \u00A0-]/.test(character) || !IBAN_LETTER.test(text[at + 1] ?? '')) break;
    at += 1;
  }
  const whole = code.length === length && !/[\p{L}\d]/u.test(text[at] ?? '');
  return { code: whole ? code : '', end: at };
}

const ELEVEN = /(?<![\p{L}\d])(?<!\d[.,/-])(?:[1-9]\d{10}|[1-9]\d[ /]\d{3}[ /]\d{3}[ /]\d{3})(?![\p{L}\d]|[.,/-]\d)/gu;

export const taxIds = (text: string): Span[] =>
  spansOf(text, ELEVEN, ({ 0: found, index }) => isTaxId(withoutGaps(found)) && !isFileNumber(text, index));

const INSURANCE = /(?<![\p{L}\d])\d{2} ?\d{6} ?[A-Z] ?\d{3}(?![\p{L}\d])/gu;

export const socialInsuranceNumbers = (text: string): Span[] =>
  spansOf(text, INSURANCE, ({ 0: found }) => isSocialInsuranceNumber(withoutGaps(found)));

/** Letters that German documents use; vowels and look-alikes are missing, so that no words come about. */
const DOCUMENT = /(?<![\p{L}\d/-])[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ\d]{8}(?:\d(?:<{0,2}D)?)?(?![\p{L}\d]|[/-]\d)/gu;
const DOCUMENT_LABEL =
  /(?:personalausweis|reisepass|kinderreisepass|aufenthaltstitel|ausweis-?(?:nr|nummer)|pass-?(?:nr|nummer)|identity card|passport)[^\n\d]{0,40}$/iu;

/** With its check digit anywhere; the nine characters printed on the card only behind a label. */
export const documentNumbers = (text: string): Span[] =>
  spansOf(text, DOCUMENT, ({ 0: found, index }) => {
    if ((found.match(/\d/g) ?? []).length < 3 || isFileNumber(text, index)) return false;
    if (found.length > 9) return isDocumentNumber(found.slice(0, 10));
    return DOCUMENT_LABEL.test(before(text, index));
  });

const CARD =
  /(?<![\p{L}\d])(?<!\d[.,/ -])(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}|3\d{3}([ -]?)\d{6}\2\d{4,5})(?![\p{L}\d]|[.,/ -]\d)/gu;
/** Visa, Mastercard, American Express, Diners, Discover, JCB. */
const CARD_ISSUER = /^(?:4\d{15}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[068]\d{12}|6(?:011|5\d\d)\d{12}|35\d{14})$/;

export const creditCards = (text: string): Span[] =>
  spansOf(text, CARD, ({ 0: found, index }) => {
    const digits = withoutGaps(found);
    return CARD_ISSUER.test(digits) && passesLuhn(digits) && !isFileNumber(text, index);
  });
