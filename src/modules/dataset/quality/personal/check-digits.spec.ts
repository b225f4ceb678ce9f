import { isDocumentNumber, isSocialInsuranceNumber, isTaxId, passesLuhn } from './check-digits.js';

/** Every other last digit must be refused. */
const otherLastDigits = (text: string): string[] =>
  Array.from('0123456789', (digit) => text.slice(0, -1) + digit).filter((other) => other !== text);

describe('the German tax identification number', () => {
  it.each(['86095742719', '65929970489', '57549285017', '25768131411', '47036892816'])('%s is one', (number) => {
    expect(isTaxId(number)).toBe(true);
    expect(otherLastDigits(number).filter(isTaxId)).toEqual([]);
  });

  it.each([
    ['01234567890', 'begins with zero'],
    ['12345678901', 'has every digit once'],
    ['11122345678', 'has three equal digits in a row'],
    ['11223456789', 'has two digits twice'],
    ['8609574271', 'is too short'],
  ])('%s is none, it %s', (number) => {
    expect(isTaxId(number)).toBe(false);
  });
});

describe('the pension insurance number', () => {
  it.each(['15070649C103', '65170839J003'])('%s is one', (number) => {
    expect(isSocialInsuranceNumber(number)).toBe(true);
    expect(otherLastDigits(number).filter(isSocialInsuranceNumber)).toEqual([]);
  });

  it.each(['15321349C103', '15001249C103', '15070049C103', '00070649C103', '15070649c103'])('%s is none', (number) => {
    expect(isSocialInsuranceNumber(number)).toBe(false);
  });
});

describe('the number of an identity document', () => {
  it.each(['T220001293', 'C01X0006H1', 'L01X00T471'])('%s is one', (number) => {
    expect(isDocumentNumber(number)).toBe(true);
    expect(otherLastDigits(number).filter(isDocumentNumber)).toEqual([]);
  });
});

describe('the number of a payment card', () => {
  it.each(['4111111111111111', '5555555555554444', '378282246310005', '6011111111111117'])('%s is one', (number) => {
    expect(passesLuhn(number)).toBe(true);
    expect(otherLastDigits(number).filter(passesLuhn)).toEqual([]);
  });
});
