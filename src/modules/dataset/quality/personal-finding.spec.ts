import { checkPersonalData } from './personal-finding.js';

describe('personal data of a row', () => {
  it('is counted by kind and never repeated', () => {
    const finding = checkPersonalData(
      'Sehr geehrte Frau Kaya, IBAN DE89370400440532013000, Mail kaya@example.org und a.kaya@example.org',
    );
    expect(finding).toMatchObject({ verdict: 'reject', score: 0, detail: { name: 1, iban: 1, email: 2 } });
    expect(finding.reason).toBe('Personal data: name (1), iban (1), email (2)');
    expect(JSON.stringify(finding)).not.toMatch(/kaya|DE89/i);
  });

  it('warns where it is of a lesser kind', () => {
    expect(checkPersonalData('Bitte an kaya@example.org')).toMatchObject({ verdict: 'warn', score: 0.5 });
    expect(checkPersonalData('kaya@example.org, b@example.org')).toMatchObject({ verdict: 'warn', score: 0.25 });
  });

  it('is not there', () => {
    expect(checkPersonalData('Kassenzeichen 4711')).toMatchObject({ verdict: 'ok', score: 1 });
  });
});
