const digitsOf = (text: string): number[] => Array.from(text, Number);

/** German tax identification number: 11 digits, the last by ISO 7064 MOD 11,10 (Abgabenordnung § 139b; BZSt). */
export function isTaxId(digits: string): boolean {
  if (!/^[1-9]\d{10}$/.test(digits) || !hasDigitsOfTaxId(digits.slice(0, 10))) return false;
  let product = 10;
  for (const digit of digitsOf(digits.slice(0, 10))) product = (((digit + product) % 10 || 10) * 2) % 11;
  return (11 - product) % 10 === Number(digits[10]);
}

/** Of the first ten: one digit occurs twice or three times (not three in a row), every other at most once. */
function hasDigitsOfTaxId(ten: string): boolean {
  const counts = Array.from({ length: 10 }, (_, digit) => ten.split(String(digit)).length - 1);
  const repeated = counts.filter((count) => count > 1);
  return repeated.length === 1 && (repeated[0] ?? 0) <= 3 && !/(\d)\1\1/.test(ten);
}

const INSURANCE_WEIGHTS = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];

/**
 * German pension insurance number: area, day of birth (raised by 50 where numbers ran out), month, year, letter, serial
 * number, check digit by the digit sums of weighted digits (VKVV § 2).
 */
export function isSocialInsuranceNumber(text: string): boolean {
  const parts = /^(\d{2})(\d{2})(\d{2})(\d{2})([A-Z])(\d{2})(\d)$/.exec(text);
  if (!parts) return false;
  const [, area = '', day = '', month = '', year = '', letter = '', serial = '', check] = parts;
  if (!isDay(Number(day) % 50) || Number(day) > 81 || !isMonth(Number(month)) || area === '00') return false;
  const order = String(letter.charCodeAt(0) - 64).padStart(2, '0');
  const weighted = digitsOf(area + day + month + year + order + serial).map(
    (digit, place) => digit * (INSURANCE_WEIGHTS[place] ?? 0),
  );
  const sum = weighted.reduce((total, value) => total + Math.floor(value / 10) + (value % 10), 0);
  return sum % 10 === Number(check);
}

const isDay = (day: number): boolean => day >= 1 && day <= 31;
const isMonth = (month: number): boolean => month >= 1 && month <= 12;

/** Machine-readable travel documents: characters weighted 7, 3, 1; letters count from A = 10 (ICAO 9303). */
export function isDocumentNumber(text: string): boolean {
  const serial = text.slice(0, -1);
  const sum = Array.from(serial, (character) => Number.parseInt(character, 36)).reduce(
    (total, value, place) => total + value * ([7, 3, 1][place % 3] ?? 0),
    0,
  );
  return sum % 10 === Number(text.at(-1));
}

/** Payment cards: the digit sum of Luhn (ISO/IEC 7812-1). */
export function passesLuhn(digits: string): boolean {
  const sum = digitsOf(digits)
    .toReversed()
    .map((digit, place) => (place % 2 === 0 ? digit : digit * 2))
    .reduce((total, value) => total + (value > 9 ? value - 9 : value), 0);
  return sum % 10 === 0;
}
