import { personalData } from './personal-data.js';

const found = (text: string): string[] =>
  personalData(text).map(({ kind, start, end }) => `${kind}: ${text.slice(start, end)}`);

/** Administrative German that looks like personal data and is none. */
const clean = [
  'Aktenzeichen: 12-3456/789 (bitte bei Antwort angeben)',
  'Unser Zeichen: III B 2 - 0815/4711, Ihr Schreiben vom 12.03.2024',
  'Az. 4 K 1234/20.A, Verwaltungsgericht Köln, Urteil vom 03.02.2021',
  'BVerwG 6 C 12.19, Beschluss vom 01.01.2020, juris Rn. 12 f.',
  'Kassenzeichen 86095742719, Verwendungszweck: Gebühr für die Sondernutzung',
  'Kassenzeichen: 4111 1111 1111 1111 ist bei jeder Zahlung anzugeben.',
  'Kassenzeichen 0171 1234567 unbedingt im Verwendungszweck nennen.',
  'Haushaltsstelle 1.2100.5220, Titel 812 01, Kapitel 0603',
  'Haushaltsstelle 1.46.400.110 wird um 20.000 Euro verstärkt.',
  'Produktkonto 01234567890, Kostenstelle 5401000000, Sachkonto 4711000',
  '§ 35 Satz 1 VwVfG, §§ 48, 49 VwVfG i. V. m. § 1 Abs. 1 LVwVfG NRW',
  'Nach § 10 Abs. 3 Satz 2 Nr. 1 und Art. 20 Abs. 3 GG ist die Behörde gebunden.',
  'Die Satzung tritt am 01.01.2025 in Kraft; zugleich tritt die Satzung vom 12.12.1999 außer Kraft.',
  'Der Verein wurde am 12.03.1980 gegründet und am 1. April 1981 eingetragen.',
  'BT-Drs. 18/11325, S. 79; BGBl. I S. 2097; BR-Drs. 110/17',
  'ISBN 978-3-406-70000-1, ISSN 0721-880X, EAN 4006381333931',
  'HRB 123456 B, Amtsgericht Charlottenburg; USt-IdNr. DE123456789',
  'IBAN: DE88 3704 0044 0532 0130 00 ist wegen falscher Prüfziffer abgewiesen worden.',
  'Gliederung: Nr. 1.2.3.4 regelt die Zuständigkeit, Nr. 10.2.100.4 die Ausnahmen.',
  'Die Software wurde auf Version 10.0.190.45 gehoben; Release 3.11.7.200 folgt.',
  'Anlage 1.2.3.4 zum Vertrag, Ziffer 3.1.4.100 der Leistungsbeschreibung',
  'Der Dienst lauscht auf 127.0.0.1 und 0.0.0.0, die Netzmaske ist 255.255.255.0.',
  'Öffnungszeiten: Mo-Fr 08:00-12:00 Uhr, Do 14:00-18:00 Uhr, Beginn 12:30:45',
  'Sehr geehrte Damen und Herren, anbei erhalten Sie den Bescheid.',
  'Sehr geehrter Herr Bürgermeister, sehr geehrte Frau Präsidentin!',
  'Sehr geehrter Herr Oberbürgermeister, der Rat hat beschlossen.',
  'Sehr geehrte Frau Ministerin, sehr geehrter Herr Staatssekretär,',
  'Der Ausbau der Bundesstraße 27 und der Landesstraße 1234 wird gefördert.',
  'An der Kreisstraße 14 und der Staatsstraße 2076 gilt Tempo 70.',
  'Der Rechtsweg 2. Instanz, der Dienstweg 3 und der Stellplatz 12 sind hier nicht gemeint.',
  'Den Arbeitsplatz 7 und den Parkplatz 12 vergibt die Hausverwaltung.',
  'Normen: DIN EN 1234, DIN-EN 1996, ISO 9001, VDE-AR 4105, EU-VO 2016/679',
  'Fundstellen: NJW 2019, 123; DÖV 2020, 45; BVerfGE 65, 1; BGH NVwZ 2018, 77',
  'Rechnungsnummer 4012888888881881 über 1.234.567,89 Euro vom 31.12.2023',
  'Anfragen an poststelle@bmi.bund.de oder info@stadt-musterstadt.de richten.',
  'Flurstück 123/45, Flur 7, Gemarkung Neustadt; 0123/4567 Quadratmeter',
  'Die Nummer 86095742718 hat elf Ziffern, aber keine passende Prüfziffer.',
  'Der Schwellenwert liegt bei 5.538.000 Euro (Bau) und 221.000 Euro (Lieferung).',
  'Im Jahr 2023 wurden 0,0171 Prozent, im Jahr 2024 0,0205 Prozent gemeldet.',
  'Vorgangsnummer T220001293, Dokumentennummer C01X0006H1',
  'Antragsfrist: 30.06.; Bewilligungszeitraum 01.07.2024 - 30.06.2025; Az.: 71-22.10.100.7',
  'Frau Mustermann (Beispiel): Sehr geehrte Frau Mustermann, dies ist ein Muster.',
  'Der Gruppe A-B 12 gehören die Besoldungsgruppen A 12 bis A 15 und B 2 an.',
  'Der Ansatz steigt um +1 250 000 Euro, der Zuschuss um +49 300 000 Euro.',
  'Die Straße 5 im Plan und jede Straße 3. Ordnung werden neu gewidmet.',
];

/** What must be found, kind and place. */
const personal: [string, string[]][] = [
  ['Bitte auf DE89 3704 0044 0532 0130 00 überweisen.', ['iban: DE89 3704 0044 0532 0130 00']],
  ['IBAN DE89370400440532013000 BIC COBADEFFXXX', ['iban: DE89370400440532013000']],
  ['Konto: AT61 1904 3002 3457 3201 (Bank in Wien)', ['iban: AT61 1904 3002 3457 3201']],
  ['iban: gb82 west 1234 5698 7654 32', ['iban: gb82 west 1234 5698 7654 32']],
  ['Erst DE88 3704 0044 0532 0130 00, dann DE89 3704 0044 0532 0130 00', ['iban: DE89 3704 0044 0532 0130 00']],
  ['Die Steuer-ID lautet 86095742719.', ['tax_id: 86095742719']],
  ['IdNr. 86 095 742 719, Finanzamt Bonn', ['tax_id: 86 095 742 719']],
  ['Steueridentifikationsnummern: 65929970489 und 65929970488', ['tax_id: 65929970489']],
  ['Versicherungsnummer 15 070649 C 103 der Rentenversicherung', ['social_insurance_number: 15 070649 C 103']],
  ['SV-Nr.: 65170839J003', ['social_insurance_number: 65170839J003']],
  ['15070649C104 und 15070649C103', ['social_insurance_number: 15070649C103']],
  ['Sie legte den Ausweis T220001293 vor.', ['identity_document: T220001293']],
  ['Reisepass C01X0006H1D, ausgestellt in Berlin', ['identity_document: C01X0006H1D']],
  ['Personalausweis Nr. L01X00T47 wurde eingezogen.', ['identity_document: L01X00T47']],
  ['T220001294 ist falsch, L01X00T471 richtig', ['identity_document: L01X00T471']],
  ['Zahlung mit Karte 4111 1111 1111 1111', ['credit_card: 4111 1111 1111 1111']],
  ['Mastercard 5555-5555-5555-4444, nicht 5555-5555-5555-4445', ['credit_card: 5555-5555-5555-4444']],
  ['Amex 378282246310005', ['credit_card: 378282246310005']],
  ['Rückfragen an max.mueller@example.de bitte', ['email: max.mueller@example.de']],
  ['Schreiben Sie an jürgen.groß@stadt-köln.de.', ['email: jürgen.groß@stadt-köln.de']],
  ['anna (at) firma.com oder anna[at]firma.com', ['email: anna (at) firma.com', 'email: anna[at]firma.com']],
  ['Mail: info.meyer+amt@mail.example.org', ['email: info.meyer+amt@mail.example.org']],
  ['Tel.: 030 / 18 580-0', ['phone: 030 / 18 580-0']],
  ['Telefon 0228 997799-0, Fax 0228 997799-5550', ['phone: 0228 997799-0', 'phone: 0228 997799-5550']],
  ['Mobil 0171 1234567 oder 0151/23456789', ['phone: 0171 1234567', 'phone: 0151/23456789']],
  ['(0221) 4710815 ist der Anschluss.', ['phone: (0221) 4710815']],
  ['Sie erreichen mich unter 0611 353 1234.', ['phone: 0611 353 1234']],
  ['+49 (0)30 12345678, 0049 30 12345678', ['phone: +49 (0)30 12345678', 'phone: 0049 30 12345678']],
  ['Der Kläger, geboren am 12.03.1980 in Köln, wohnt hier.', ['birth_date: 12.03.1980']],
  ['geb. 3. Mai 1975', ['birth_date: 3. Mai 1975']],
  ['Geburtsdatum: 1980-03-12', ['birth_date: 1980-03-12']],
  ['Anna Müller (*12.03.1980)', ['birth_date: 12.03.1980']],
  ['She was born on March 3, 1980 in Leeds.', ['birth_date: March 3, 1980']],
  ['Musterstraße 12a, 12345 Berlin', ['street_address: Musterstraße 12a, 12345 Berlin']],
  ['Am Markt 3\n54321 Neustadt an der Aisch', ['street_address: Am Markt 3\n54321 Neustadt an der Aisch']],
  ['wohnhaft in der Lindenallee 5 und sonst nirgends', ['street_address: Lindenallee 5']],
  ['Er wohnt Konrad-Adenauer-Str. 7.', ['street_address: Konrad-Adenauer-Str. 7']],
  ['Die IP-Adresse 93.184.216.34 rief die Seite auf.', ['ip_address: 93.184.216.34']],
  ['Zugriff von 192.168.178.94 um 12:30:45', ['ip_address: 192.168.178.94']],
  ['IPv6 2001:db8:85a3::8a2e:370:7334 im Protokoll', ['ip_address: 2001:db8:85a3::8a2e:370:7334']],
  ['Das Fahrzeug B-MW 1234 parkte falsch.', ['number_plate: B-MW 1234']],
  ['Kennzeichen M AB 123, Halter unbekannt', ['number_plate: M AB 123']],
  ['Kfz TÜ-X 77E', ['number_plate: TÜ-X 77E']],
  ['Sehr geehrte Frau Dr. Müller,', ['name: Müller']],
  ['Sehr geehrter Herr Prof. Dr. von der Leyen-Schmitz,', ['name: von der Leyen-Schmitz']],
  ['Sehr geehrter Herr Präsident Schmidt,', ['name: Schmidt']],
  ['Guten Tag Frau Yılmaz, hallo', ['name: Yılmaz']],
  ['Dear Mr. Smith, thank you', ['name: Smith']],
  [
    'Sehr geehrte Frau Kaya, Ihr Antrag vom 01.02.2024 (Az. 12/34) ging ein. IBAN DE89370400440532013000, Tel. 0221 4710815.',
    ['name: Kaya', 'iban: DE89370400440532013000', 'phone: 0221 4710815'],
  ],
];

describe('personal data', () => {
  it('has enough examples of both kinds', () => {
    expect(clean.length).toBeGreaterThanOrEqual(30);
    expect(personal.length).toBeGreaterThanOrEqual(40);
  });

  it.each(clean)('is not seen in: %s', (text) => {
    expect(found(text)).toEqual([]);
  });

  it.each(personal)('is seen in: %s', (text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  it('is found in time in texts made to be slow', () => {
    const nasty = ['A.', 'a@', '01 2', 'a:', 'Aa-', 'geboren am ', 'Sehr geehrte Frau ', 'B-MW 1', '1.1.1.1.', 'DE89 '];
    const started = performance.now();
    for (const part of nasty) personalData(part.repeat(50_000 / part.length));
    expect(performance.now() - started).toBeLessThan(3000);
  });
});
