import { certificateState } from './certificate-state.js';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 0, 1);

it.each([
  [90, false, false],
  [14, false, false],
  [13.9, false, true],
  [0.5, false, true],
  [0, true, true],
  [-2, true, true],
])('a certificate with %d days left', (days, hasEnded, isEnding) => {
  const notAfter = new Date(NOW + days * DAY_MS);
  const detail = { serial: 'ab', not_after: notAfter.toISOString(), days_left: Math.floor(days) };
  expect(certificateState({ serial: 'ab', notAfter }, NOW)).toEqual({ hasEnded, isEnding, detail });
});
