import { isGermanWord, partsOf } from './compound-splitter.js';
import { lowered } from './german-spelling.js';
import { stemOf } from './german-stem.js';

/** Written from knowledge of German before the splitter existed; `:` stands before the expected parts. */
const COMPOUNDS = `
Baugenehmigungsverfahren: bau genehmigung verfahren
Aufenthaltserlaubnis: aufenthalt erlaubnis | Verpflichtungsklage: verpflichtung klage
Widerspruchsbescheid: widerspruch bescheid | Grundstücksverkehr: grundstück verkehr
Personalausweis: personal ausweis | Verwaltungsvollstreckungsgesetz: verwaltung vollstreckung gesetz
Immissionsschutzbehörde: immission schutz behörde | Datenschutzbeauftragter: daten schutz beauftragter
Verwaltungsverfahren: verwaltung verfahren | Verwaltungsakt: verwaltung akt | Verwaltungsgericht: verwaltung gericht
Oberverwaltungsgericht: ober verwaltung gericht | Bundesverwaltungsgericht: bund verwaltung gericht
Widerspruchsverfahren: widerspruch verfahren | Widerspruchsbehörde: widerspruch behörde
Anfechtungsklage: anfechtung klage | Feststellungsklage: feststellung klage | Untätigkeitsklage: untätigkeit klage
Leistungsklage: leistung klage | Baugenehmigung: bau genehmigung | Bauantrag: bau antrag | Bauaufsicht: bau aufsicht
Bauaufsichtsbehörde: bau aufsicht behörde | Bauordnung: bau ordnung | Bauordnungsrecht: bau ordnung recht
Landesbauordnung: land bau ordnung | Bauvorhaben: bau vorhaben | Bauleitplanung: bau leiten planung
Bebauungsplan: bebauung plan | Flächennutzungsplan: fläche nutzung plan | Gewerbegebiet: gewerbe gebiet
Industriegebiet: industrie gebiet | Wohngebiet: wohnen gebiet | Mischgebiet: mischen gebiet | Dorfgebiet: dorf gebiet
Kerngebiet: kern gebiet | Geschossfläche: geschoss fläche | Geschossflächenzahl: geschoss fläche zahl
Grundflächenzahl: grund fläche zahl | Baugrenze: bau grenze | Baulinie: bau linie | Baudenkmal: bau denkmal
Denkmalschutz: denkmal schutz | Denkmalschutzbehörde: denkmal schutz behörde | Nachbarschutz: nachbar schutz
Abstandsfläche: abstand fläche | Erschließungsbeitrag: erschließung beitrag | Umlegungsausschuss: umlegung ausschuss
Enteignungsverfahren: enteignung verfahren | Enteignungsbehörde: enteignung behörde | Städtebau: stadt bau
Sanierungsgebiet: sanierung gebiet | Vorkaufsrecht: vorkauf recht | Umweltbericht: umwelt bericht
Umweltinformation: umwelt information | Umweltinformationsgesetz: umwelt information gesetz
Umweltverträglichkeitsprüfung: umwelt verträglichkeit prüfung | Immissionsschutz: immission schutz
Bundesimmissionsschutzgesetz: bund immission schutz gesetz | Luftreinhalteplan: luft reinhalten plan
Lärmschutz: lärm schutz | Lärmaktionsplan: lärm aktion plan | Emissionshandel: emission handel
Abfallentsorgung: abfall entsorgung | Gewässerschutz: gewässer schutz | Naturschutzbehörde: natur schutz behörde
Strahlenschutz: strahlen schutz | Störfallverordnung: störfall verordnung | Betriebsbereich: betrieb bereich
Aufenthaltstitel: aufenthalt titel | Aufenthaltsgesetz: aufenthalt gesetz | Niederlassungserlaubnis: niederlassung erlaubnis
Ausländerbehörde: ausländer behörde | Ausländerzentralregister: ausländer zentral register
Aufenthaltsgestattung: aufenthalt gestattung | Abschiebungshaft: abschiebung haft | Abschiebungsverbot: abschiebung verbot
Einreiseverbot: einreise verbot | Familiennachzug: familie nachzug | Ehegattennachzug: ehegatte nachzug
Flüchtlingseigenschaft: flüchtling eigenschaft | Asylverfahren: asyl verfahren | Asylantrag: asyl antrag
Integrationskurs: integration kurs | Sprachkenntnisse: sprache kenntnis | Staatsangehörigkeit: staat angehörigkeit
Staatsangehörigkeitsgesetz: staat angehörigkeit gesetz | Einbürgerungsverfahren: einbürgerung verfahren
Passpflicht: pass pflicht | Ausweispflicht: ausweis pflicht | Visumverfahren: visum verfahren | Reisepass: reise pass
Meldepflicht: melden pflicht | Meldebehörde: melden behörde | Melderegister: melden register
Melderegisterauskunft: melden register auskunft | Auskunftssperre: auskunft sperre | Bundesmeldegesetz: bund melden gesetz
Wohnungsgeber: wohnung geber | Wohnungsgeberbestätigung: wohnung geber bestätigung | Hauptwohnung: haupt wohnung
Nebenwohnung: neben wohnung | Familienname: familie name | Geburtsdatum: geburt datum | Geburtsort: geburt ort
Geburtsurkunde: geburt urkunde | Sterbeurkunde: sterben urkunde | Heiratsurkunde: heirat urkunde
Standesamt: stand amt | Einwohnermeldeamt: einwohner melden amt | Ordnungsamt: ordnung amt | Jugendamt: jugend amt
Gesundheitsamt: gesundheit amt | Finanzamt: finanz amt | Bauamt: bau amt | Sozialamt: sozial amt
Bürgeramt: bürger amt | Bürgermeister: bürger meister | Oberbürgermeister: ober bürger meister
Gemeinderat: gemeinde rat | Stadtrat: stadt rat | Kreistagswahl: kreistag wahl | Bundestagswahl: bundestag wahl
Landesregierung: land regierung | Bundesregierung: bund regierung | Bundesminister: bund minister
Bundesministerium: bund ministerium | Bundespräsident: bund präsident | Bundesverfassungsgericht: bund verfassung gericht
Verfassungsbeschwerde: verfassung beschwerde | Grundgesetz: grund gesetz | Grundrecht: grund recht
Menschenwürde: mensch würde | Menschenrechte: mensch recht | Meinungsfreiheit: meinung freiheit
Pressefreiheit: presse freiheit | Versammlungsfreiheit: versammlung freiheit | Religionsfreiheit: religion freiheit
Berufsfreiheit: beruf freiheit | Gewissensfreiheit: gewissen freiheit | Briefgeheimnis: brief geheimnis
Fernmeldegeheimnis: fernmelden geheimnis | Rechtsstaat: recht staat | Sozialstaat: sozial staat
Gesetzgebung: gesetz gebung | Gesetzgebungsverfahren: gesetz gebung verfahren | Rechtsverordnung: recht verordnung
Rechtsvorschrift: recht vorschrift | Verwaltungsvorschrift: verwaltung vorschrift | Rechtsbehelf: recht behelf
Rechtsbehelfsbelehrung: recht behelf belehrung | Rechtsmittel: recht mittel | Rechtsschutz: recht schutz
Rechtsanspruch: recht anspruch | Rechtsgrundlage: recht grundlage | Rechtsnachfolger: recht nachfolger
Rechtsanwalt: recht anwalt | Prozesskostenhilfe: prozess kosten hilfe | Gerichtsverfahren: gericht verfahren
Gerichtskosten: gericht kosten | Gerichtsbescheid: gericht bescheid | Beweisaufnahme: beweis aufnahme
Zeugenaussage: zeuge aussage | Urteilsbegründung: urteil begründung | Klagefrist: klage frist
Widerspruchsfrist: widerspruch frist | Antragsfrist: antrag frist | Antragsteller: antrag steller
Antragsverfahren: antrag verfahren | Fristverlängerung: frist verlängerung | Zustellungsbevollmächtigter: zustellung bevollmächtigter
Postzustellungsurkunde: post zustellung urkunde | Verwaltungszustellungsgesetz: verwaltung zustellung gesetz
Empfangsbekenntnis: empfang bekenntnis | Amtshilfe: amt hilfe | Amtssprache: amt sprache | Dienstaufsichtsbeschwerde: dienst aufsicht beschwerde
Akteneinsicht: akte einsicht | Aktenzeichen: akte zeichen | Aktenführung: akte führung | Sachbearbeiter: sache bearbeiter
Beteiligtenfähigkeit: beteiligte fähigkeit | Handlungsfähigkeit: handlung fähigkeit | Ermessensentscheidung: ermessen entscheidung
Ermessensspielraum: ermessen spielraum | Vertrauensschutz: vertrauen schutz | Planfeststellung: plan feststellung
Planfeststellungsverfahren: plan feststellung verfahren | Planfeststellungsbeschluss: plan feststellung beschluss
Anhörungsverfahren: anhörung verfahren | Zwangsgeld: zwang geld | Zwangsmittel: zwang mittel
Ersatzvornahme: ersatz vornahme | Vollstreckungsbehörde: vollstreckung behörde | Vollziehungsbeamter: vollziehung beamter
Pfändungsverfügung: pfändung verfügung | Steuerbescheid: steuer bescheid | Steuererklärung: steuer erklärung
Steuerpflicht: steuer pflicht | Steuerpflichtiger: steuer pflichtiger | Steuerhinterziehung: steuer hinterziehung
Einkommensteuer: einkommen steuer | Einkommensteuergesetz: einkommen steuer gesetz | Umsatzsteuer: umsatz steuer
Gewerbesteuer: gewerbe steuer | Grundsteuer: grund steuer | Hundesteuer: hund steuer | Abgabenordnung: abgabe ordnung
Säumniszuschlag: säumnis zuschlag | Verspätungszuschlag: verspätung zuschlag | Festsetzungsfrist: festsetzung frist
Außenprüfung: außen prüfung | Betriebsprüfung: betrieb prüfung | Buchführungspflicht: buch führung pflicht
Gewerbeordnung: gewerbe ordnung | Gewerbeanmeldung: gewerbe anmeldung | Gewerbeerlaubnis: gewerbe erlaubnis
Gewerbeuntersagung: gewerbe untersagung | Gaststättenerlaubnis: gaststätte erlaubnis | Gaststättengesetz: gaststätte gesetz
Reisegewerbekarte: reise gewerbe karte | Spielhallenerlaubnis: spiel halle erlaubnis | Bewachungsgewerbe: bewachung gewerbe
Waffenschein: waffe schein | Waffenbesitzkarte: waffe besitz karte | Waffengesetz: waffe gesetz | Jagdschein: jagd schein
Schusswaffe: schuss waffe | Schießstätte: schießen stätte | Munitionserwerb: munition erwerb
Zuverlässigkeitsprüfung: zuverlässigkeit prüfung | Führungszeugnis: führung zeugnis | Führerschein: führer schein
Fahrerlaubnis: fahren erlaubnis | Fahrverbot: fahren verbot | Kraftfahrzeug: kraft fahrzeug | Fahrzeughalter: fahrzeug halter
Straßenverkehr: straße verkehr | Straßenverkehrsordnung: straße verkehr ordnung | Straßenbau: straße bau
Parkplatz: park platz | Bußgeld: buße geld | Bußgeldbescheid: buße geld bescheid | Bußgeldverfahren: buße geld verfahren
Ordnungswidrigkeit: ordnung widrigkeit | Ordnungswidrigkeitengesetz: ordnung widrigkeit gesetz
Verwarnungsgeld: verwarnung geld | Verjährungsfrist: verjährung frist | Strafverfahren: strafe verfahren
Strafgesetzbuch: strafe gesetz buch | Freiheitsstrafe: freiheit strafe | Geldbuße: geld buße | Geldstrafe: geld strafe
Staatsanwaltschaft: staat anwaltschaft | Polizeibehörde: polizei behörde | Gefahrenabwehr: gefahr abwehr
Versammlungsgesetz: versammlung gesetz | Versammlungsleiter: versammlung leiter | Vermummungsverbot: vermummung verbot
Sozialleistung: sozial leistung | Sozialgesetzbuch: sozial gesetz buch | Sozialversicherung: sozial versicherung
Krankenversicherung: kranke versicherung | Rentenversicherung: rente versicherung | Unfallversicherung: unfall versicherung
Arbeitslosengeld: arbeitslos geld | Arbeitsförderung: arbeit förderung | Kindergeld: kind geld | Elterngeld: eltern geld
Wohngeld: wohnen geld | Pflegeversicherung: pflege versicherung | Leistungsträger: leistung träger
Mitwirkungspflicht: mitwirkung pflicht | Sozialdaten: sozial daten | Datenschutzgrundverordnung: daten schutz grund verordnung
Datenverarbeitung: daten verarbeitung | Aufsichtsbehörde: aufsicht behörde | Einwilligungserklärung: einwilligung erklärung
Informationsfreiheit: information freiheit | Informationsfreiheitsgesetz: information freiheit gesetz
Informationszugang: information zugang | Geschäftsgeheimnis: geschäft geheimnis | Betriebsgeheimnis: betrieb geheimnis
Onlinezugang: online zugang | Onlinezugangsgesetz: online zugang gesetz | Nutzerkonto: nutzer konto
Verwaltungsportal: verwaltung portal | Portalverbund: portal verbund | Zahlungsverkehr: zahlung verkehr
Gebührenordnung: gebühr ordnung | Gebührenbescheid: gebühr bescheid | Kostenentscheidung: kosten entscheidung
Wohnhäuser: wohnen haus | Krankenhäuser: kranke haus | Amtsgerichte: amt gericht | Kindertagesstätte: kind tag stätte
`;

/** Simple words, derived words, and old compounds whose parts no longer say what the whole means. */
const UNCUT = `
Verwaltung Antrag Bescheid Urkunde Minister Standort Behörde Genehmigung Erlaubnis Widerspruch Verfahren Gebühr Aufenthalt
Auskunft Ausweis Anstalt Wirtschaft Gesellschaft Eigentum Freiheit Gemeinde Gericht Gesetz Verordnung Satzung Vorschrift
Beschwerde Bestimmung Entscheidung Verfügung Anordnung Anhörung Beteiligung Zustellung Vollstreckung Vollziehung Ermessen
Unternehmen Unterlagen Unterschrift Überprüfung Übertragung Überwachung Abgabe Abstand Auflage Auftrag Aufsicht Ausschuss
Ausnahme Beamter Bedingung Befugnis Beitrag Bericht Beschluss Betrieb Beweis Einkommen Einwilligung Eigenschaft Ereignis
Gegenstand Gutachten Haushalt Haftung Handlung Interesse Kapital Leistung Mannschaft Maßnahme Meinung Mitglied Nachweis
Ordnung Partei Person Personal Prüfung Rechnung Register Regierung Richtlinie Semester Sicherheit Staatlichkeit Stimmung
Termin Umwelt Verantwortung Verband Verbindung Verein Vereinbarung Verhältnis Vermögen Vertrag Vertreter Voraussetzung
Vorhaben Vorstand Wahrnehmung Zeitung Zeugnis Zuständigkeit Zustimmung Grundstück Fahrzeug Bundestag
feststellen teilnehmen stattfinden bestimmen entscheiden beantragen erforderlich insbesondere unverzüglich Universität
Demokratie Parlament Dokument Information Kommission Organisation Institution Ministerium Präsident Finanzierung Inhaber
Arbeiter Ausländer Bewerber Eigentümer Heidelberg Brandenburg Regensburg Oldenburg
`;

interface Expectation {
  word: string;
  parts: string[];
}

const expectations: Expectation[] = COMPOUNDS.split(/[|\n]/)
  .filter((entry) => entry.includes(':'))
  .map((entry) => {
    const [word = '', parts = ''] = entry.split(':');
    return { word: word.trim(), parts: parts.trim().split(' ') };
  });
const uncut = UNCUT.trim().split(/\s+/);
const stems = (words: readonly string[]) => words.map(stemOf).join(' ');

describe('compound splitter', () => {
  it('knows at least 200 compounds and 100 words that stay whole by heart', () => {
    expect(new Set(expectations.map(({ word }) => word)).size).toBeGreaterThanOrEqual(200);
    expect(new Set(uncut).size).toBeGreaterThanOrEqual(100);
  });

  it.each(expectations)('cuts $word', ({ word, parts }) => {
    expect(stems(partsOf(word.toLowerCase()))).toBe(stems(parts));
  });

  it.each(uncut)('leaves %s whole', (word) => {
    expect(partsOf(word.toLowerCase())).toEqual([]);
  });

  it.each([
    ['BAUGENEHMIGUNGEN', 'bau genehmigung'],
    ['Bussgeldbescheide', 'buße geld bescheid'],
    ['Auslaenderbehoerde', 'ausländer behörde'],
    ['Bebauungsplänen', 'bebauung plan'],
    ['Verfahrensmängel', 'verfahren mangel'],
    ['Arbeitsplatzes', 'arbeit platz'],
    ['Risikoerhöhung', 'risiko erhöhung'],
    ['genehmigungspflichtige', 'genehmigung pflichtig'],
    ['personenbezogener', 'person bezogener'],
    ['immissionsschutzrechtlich', 'immission schutz rechtlich'],
  ])('cuts %s in any spelling and form', (word, parts) => {
    expect(stems(partsOf(word))).toBe(stems(parts.split(' ')));
  });

  it('leaves words that are too long for a word alone', () => {
    expect(partsOf('verwaltungs'.repeat(1_000))).toEqual([]);
  });

  it('gives parts that together are the word', () => {
    for (const { word } of expectations) expect(partsOf(word).join('')).toBe(lowered(word));
  });
});

describe('German words', () => {
  it.each(['Behörde', 'Behoerden', 'Baugenehmigung', 'feststellen'])('have %s among them', (word) => {
    expect(isGermanWord(word)).toBe(true);
  });

  it.each(['xyzzyx', 'authority', 'vergunning', 'autorité', ''])('do not have %j', (word) => {
    expect(isGermanWord(word)).toBe(false);
  });
});
