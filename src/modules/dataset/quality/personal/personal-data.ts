import { ipAddresses, mailAddresses, phoneNumbers } from './contacts.js';
import { numberPlates } from './number-plates.js';
import { creditCards, documentNumbers, ibans, socialInsuranceNumbers, taxIds } from './numbers.js';
import { birthDates, salutedNames, streetAddresses } from './persons.js';
import type { Span } from './span.js';

/** The kinds, surest first: where two claim the same place, the first has it. */
const finders = {
  iban: ibans,
  social_insurance_number: socialInsuranceNumbers,
  tax_id: taxIds,
  credit_card: creditCards,
  identity_document: documentNumbers,
  email: mailAddresses,
  birth_date: birthDates,
  ip_address: ipAddresses,
  phone: phoneNumbers,
  street_address: streetAddresses,
  number_plate: numberPlates,
  name: salutedNames,
} satisfies Record<string, (text: string) => Span[]>;

export type PersonalKind = keyof typeof finders;

/** Where personal data stands in a text, in UTF-16 code units; the value itself is never copied. */
export interface PersonalDatum extends Span {
  kind: PersonalKind;
}

/**
 * Personal data by its form: numbers with check digits only where these fit, others where their form or the words before
 * them say what they are. File numbers, provisions, dates, budget items and the mailboxes of offices are none.
 * @returns in the order of the text, none overlapping
 */
export function personalData(text: string): PersonalDatum[] {
  const found: PersonalDatum[] = [];
  for (const kind of Object.keys(finders) as PersonalKind[])
    for (const { start, end } of finders[kind](text))
      if (!found.some((datum) => start < datum.end && datum.start < end)) found.push({ kind, start, end });
  return found.toSorted((a, b) => a.start - b.start);
}

/** The text with the kind in the place of each value. */
export function withoutPersonalData(text: string): string {
  const data = personalData(text);
  const between = data.map(({ kind, start }, at) => `${text.slice(data[at - 1]?.end ?? 0, start)}[${kind}]`);
  return between.join('') + text.slice(data.at(-1)?.end ?? 0);
}
