import type { Finding } from './finding.js';
import { personalData, type PersonalKind } from './personal/personal-data.js';

/** Alone enough to do harm: a row with one of these is rejected. */
const GRAVE: ReadonlySet<PersonalKind> = new Set([
  'iban',
  'credit_card',
  'tax_id',
  'social_insurance_number',
  'identity_document',
  'birth_date',
]);
const ONE_OF_OTHERS = 0.5;

/** Counts by kind; never a value. */
export function checkPersonalData(text: string): Finding {
  const counts = new Map<PersonalKind, number>();
  for (const { kind } of personalData(text)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  if (counts.size === 0)
    return { check: 'personal_data', score: 1, verdict: 'ok', reason: 'No personal data was recognised' };
  const list = Array.from(counts, ([kind, count]) => `${kind.replaceAll('_', ' ')} (${count})`).join(', ');
  const grave = [...counts.keys()].some((kind) => GRAVE.has(kind));
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return {
    check: 'personal_data',
    score: grave ? 0 : ONE_OF_OTHERS / total,
    verdict: grave ? 'reject' : 'warn',
    reason: `Personal data: ${list}`,
    detail: Object.fromEntries(counts),
  };
}
