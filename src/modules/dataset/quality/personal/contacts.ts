import { isIPv6 } from 'node:net';
import { before, isFileNumber, spansOf, type Span } from './span.js';

const MAIL =
  /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}_](?:[\p{L}\p{N}._%+-]{0,62}[\p{L}\p{N}_%+-])?(?:@| ?[([](?:at|ät)[)\]] ?)(?:[\p{L}\p{N}-]{1,63}\.){1,4}\p{L}{2,18}(?!\p{L})/giu;
/** Mailboxes of offices, which belong to no person. */
const OFFICE =
  /^(?:poststelle|posteingang|post|info|kontakt|contact|office|mail|e-?mail|service|support|hotline|no-?reply|webmaster|postmaster|admin|redaktion|presse(?:stelle)?|datenschutz|(?:b(?:ue|ü)rger)(?:service|b(?:ue|ü)ro|amt)|rathaus|(?:stadt|gemeinde|kreis)(?:verwaltung)?|verwaltung|impressum|bewerbung|vergabe(?:stelle)?|sekretariat|bauamt|ordnungsamt|standesamt|finanzamt|gericht|kanzlei|bibliothek|archiv)(?:-\p{L}{1,30})?\d{0,4}[@ ([]/iu;

export const mailAddresses = (text: string): Span[] => spansOf(text, MAIL, ({ 0: found }) => !OFFICE.test(found));

/** Digits parted by single signs, behind +49 or 0049 or a zero. */
const PHONE =
  /(?<![\p{L}\d])(?<![\d][.,/-])(?:(?:\+|00)[1-9]\d{0,2}(?:[ ./-]?\(0\))?|\(0[1-9]\d{1,4}\)|0[1-9]\d{1,4})(?:[ ]?[/–-][ ]?|[ .])?\d{1,9}(?:[ ./-]\d{1,8}){0,5}(?![\p{L}\d]|[.,]\d)/gu;
const PHONE_LABEL =
  /(?:(?<!\p{L})(?:tel|telefon|telefonnummer|telefonisch|fon|phone|mobil|mobilnummer|mobiltelefon|handy|handynummer|fax|telefax|rufnummer|durchwahl|hotline|whatsapp|festnetz|rückruf|call)(?!\p{L})|[☎☏✆📞]|(?<!\p{L})(?:erreichbar|erreichen) (?:\p{L}+ ){0,4}unter)[^\n\d]{0,25}$/iu;
const MOBILE = /^01[567]\d{8,9}$/;
/** `+1 250 000`: an amount, unless a neighbour's country stands in front. */
const AMOUNT = /^\+(?!49|43|41)\d{1,3}(?:[ .]\d{3})+$/;
const UNIT = /^\s?(?:€|%|euro|eur|prozent|mio|tsd|stück|einwohner|personen)/iu;

/** Behind a label, or in a form that only phones have: with the country, with the prefix in brackets, or of a mobile. */
export const phoneNumbers = (text: string): Span[] =>
  spansOf(text, PHONE, ({ 0: found, index }) => {
    const digits = found.replace('(0)', '').replaceAll(/\D/g, '');
    const abroad = /^(?:\+|00)/.test(found);
    const most = abroad ? 15 : 14;
    if (digits.length < 7 || digits.length > most || isFileNumber(text, index)) return false;
    if (PHONE_LABEL.test(before(text, index))) return true;
    if (AMOUNT.test(found) || UNIT.test(text.slice(index + found.length, index + found.length + 12))) return false;
    return found.startsWith('+') || found.startsWith('0049') || found.startsWith('(0') || MOBILE.test(digits);
  });

const IPV4 =
  /(?<![\p{L}\d])(?<!\d[.,/-])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\p{L}\d]|[.,/-]\d)/gu;
/** Versions, and sections counted with four numbers. */
const COUNTED =
  /(?:(?<!\p{L})(?:v|version|release|firmware|build|nr|nummer|ziffern?|ziff|abschnitte?|abschn|kapitel|kap|punkt|absatz|abs|tz|rn|rz|anlage|anhang|gliederung|gliederungsnummer|tabelle|tab|abbildung|abb|§|haushaltsstellen?|hhst|oid|siehe|vgl|position|pos|und|bis|titel|produkt)\.?|§)[\s:]*$|^\s*$|\n\s*$/iu;
const OF_NOBODY = /^(?:0\.|127\.|255\.|22[4-9]\.|23\d\.)/;

const ipv4 = (text: string): Span[] =>
  spansOf(text, IPV4, ({ 0: found, index }) => {
    const ahead = before(text, index);
    const named = /(?<!\p{L})ip(?:v4)?(?:-?(?:adressen?|addresses|address))?(?!\p{L})[^\n\d]{0,30}$/iu.test(ahead);
    return (
      !OF_NOBODY.test(found) && (named || (!COUNTED.test(ahead) && found.split('.').some((part) => part.length === 3)))
    );
  });

const IPV6 = /(?<![\p{L}\d:])(?=[\da-f]*:[\da-f]*:)[\da-f:]{6,39}(?![\p{L}\d:])/giu;

const ipv6 = (text: string): Span[] =>
  spansOf(text, IPV6, ({ 0: found }) => isIPv6(found) && found !== '::1' && /\d/.test(found));

export const ipAddresses = (text: string): Span[] => [...ipv4(text), ...ipv6(text)];
