import { checkBoilerplate } from './boilerplate.js';

const TEXT = `§ 35 Begriff des Verwaltungsaktes
Verwaltungsakt ist jede Verfügung, Entscheidung oder andere hoheitliche Maßnahme,
die eine Behörde zur Regelung eines Einzelfalls auf dem Gebiet des öffentlichen Rechts trifft
und die auf unmittelbare Rechtswirkung nach außen gerichtet ist.
1.
die Anordnung,
2.
der Bescheid.`;

describe('boilerplate', () => {
  it('is not seen in a provision with its numbers', () => {
    expect(checkBoilerplate(TEXT)).toMatchObject({ verdict: 'ok', score: 1 });
    expect(checkBoilerplate('Kontakt zur Behörde nimmt der Antragsteller schriftlich auf.').score).toBe(1);
    expect(checkBoilerplate('Die Verordnung regelt, wie Anbieter Cookies einsetzen dürfen.').score).toBe(1);
  });

  it.each([
    ['Seite 3 von 7', 'page_number'],
    ['Page 12/40', 'page_number'],
    ['- 12 -', 'page_number'],
    ['3 / 7', 'page_number'],
    ['Wir verwenden auf dieser Seite Cookies, um sie zu verbessern.', 'cookies'],
    ['Alle akzeptieren', 'cookies'],
    ['Startseite | Kontakt | Impressum | Datenschutz', 'navigation'],
    ['Home > Suche', 'navigation'],
    ['Zum Inhalt springen', 'page_controls'],
    ['Back to top', 'page_controls'],
    ['© 2024 Stadt Musterstadt', 'footer'],
    ['(c) 2023 Amt', 'footer'],
    ['Alle Rechte vorbehalten', 'footer'],
    ['Stand: 01.03.2024', 'footer'],
    ['§ 1 Anwendungsbereich ........................ 12', 'table_of_contents'],
  ])('is the line: %s', (line, kind) => {
    expect(checkBoilerplate(`${TEXT}\n${line}`)).toMatchObject({ detail: { [kind]: 1 } });
  });

  it('is a line that stands there three times, not twice', () => {
    const head = 'Bundesamt für Beispiele, Referat 12';
    expect(checkBoilerplate([head, TEXT, head].join('\n')).score).toBe(1);
    expect(checkBoilerplate([head, TEXT, head, 'Ein anderer Satz.', head].join('\n'))).toMatchObject({
      verdict: 'warn',
      detail: { repeated_line: 3 },
    });
  });

  it('warns from a tenth and rejects from half of the text', () => {
    const page = 'Startseite Kontakt Impressum Datenschutz Barrierefreiheit Sitemap';
    expect(checkBoilerplate(`${TEXT}\nSeite 3 von 7`).verdict).toBe('ok');
    expect(checkBoilerplate(`${TEXT}\n${page}`).verdict).toBe('warn');
    expect(checkBoilerplate(`${page}\nAlle akzeptieren\n`).verdict).toBe('reject');
  });
});
