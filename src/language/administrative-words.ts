/** Words that general lists lack or underrate, written for the language of German administration and law. */

/** Nouns that compounds of this language are made of; simple for search, none is cut further. */
export const ADMINISTRATIVE_WORDS = `
abbruch abfall abgabe abgeordnete abhilfe ablehnung ablichtung abmahnung abmeldung abnahme abordnung abrechnung absatz abschiebung
abschrift absicht abstand abstimmung abwägung abwasser abwehr abweichung abwicklung adoption akte akt aktion amt
anerkennung anfechtung anfrage angabe angehörige angehörigkeit angelegenheit anhang anhörung anlage anlass anliegen anmeldung annahme
anordnung anpassung anrechnung ansatz anschluss anschrift anspruch anstalt anteil antrag anwalt anwaltschaft anwärter anweisung
anwendung anwesenheit anzeige arbeit archiv asyl aufbau aufbewahrung aufenthalt auffangen aufgabe aufhebung auflage auflassung auflösung
aufnahme aufrechnung aufruf aufschub aufsicht aufstellung auftrag aufwand aufwendung aufzeichnung ausbau ausbildung ausfertigung
ausfuhr ausführung ausgabe ausgleich aushang auskunft ausland auslage auslegung auslieferung ausnahme ausreise aussage ausschluss
ausschreibung ausschuss aussetzung ausstellung ausübung auswahl ausweis auswertung ausweisung auszahlung auszug bauherr beamte
beamter beanstandung beauftragte beauftragter beauftragung bebauung bedarf bedingung bedürfnis beendigung befehl befreiung befristung
befugnis beförderung begehren beglaubigung begründung begünstigung begutachtung behandlung behebung behelf behinderung behörde beigeordnete
beihilfe beiladung beirat beistand beitrag beitritt bekanntgabe bekanntmachung bekenntnis belang belastung beleg belehrung beleihung
bemessung benachrichtigung benehmen benutzung beratung berechnung berechtigung bereich bericht berichtigung beruf berufung besatzung
beschaffung bescheid bescheinigung beschluss beschränkung beschuldigte beschwerde beseitigung besetzung besitz besoldung bestandskraft
 bestätigung bestellung bestimmung betrag betreiber betreuer betreuung betrieb betroffene beurkundung beurteilung
bevollmächtigte bevollmächtigter bevollmächtigung bewachung beweis bewerber bewertung bewilligung beziehung bezirk bezug bezüge
buße bund bundesrat bürger bürgschaft darlegung darlehen datei daten dauer denkmal deponie dezernat dienst
durchführung durchsuchung ehe ehegatte eid eigenschaft eigentum eignung einbürgerung einfuhr einführung eingang eingliederung eingriff
einheit einigung einkommen einkunft einkünfte einlegung einleitung einreise einrichtung einsatz einschränkung einsicht einspruch
einstellung einstufung eintrag eintragung eintritt einverständnis einwand einwendung einwilligung einzahlung einziehung
emission empfang empfänger enteignung entgelt entlassung entlastung entnahme entrichtung entschädigung entscheidung entsendung
entsorgung entwässerung entwurf entziehung entzug erbe erbschaft erfassung ergänzung erhebung erhöhung erinnerung erkenntnis erklärung
erlass erlaubnis erledigung ermächtigung ermessen ermittlung ernennung eröffnung ersatz ersuchen erscheinen erschließung erstattung
erteilung ertrag erweiterung erwerb erziehung fähigkeit fahrlässigkeit familie fassung festnahme festsetzung feststellung feuerwehr
fiktion finanz finanzen firma fläche flüchtling förderung folge form formular forderung fortbildung fortführung fortsetzung frist führung
fürsorge gebiet gebot gebühr gebung geburt gefahr gefährdung gegenstand gehalt geheimnis geltung gemeinschaft
genehmigung genossenschaft gericht geschädigte geschäft gesetz gestattung gesuch gesundheit gewähr gewährung gewässer gewahrsam gewalt
gewerbe gewerkschaft gewissen glaubhaftmachung gläubiger gleichstellung grund gut gutachten gültigkeit haft haftung halter handel
handlung haushalt heilung heim herausgabe herstellung hilfe hinterlegung hinterziehung hinweis hoheit identität immission information
inhaber inkrafttreten insolvenz instanz integration interesse jugend justiz kammer kataster kenntnis kenntnisnahme kennzeichen klage
kläger klausel körperschaft kommune kontrolle konzession kosten krankheit kredit kreis kündigung ladung lärm land last
leistung leiter leitung liste löschung lohn luft mahnung mandat mangel markt maßnahme maßregel meldung merkblatt miete minderung
ministerium missbrauch mitarbeiter mitglied mitteilung mitwirkung mittel monat nachfolge nachfolger nachlass nachprüfung nachricht
nachteil nachtrag nachweis nachzahlung nachzug name natur neubau niederlassung niederschrift norm notar nummer nutzer
nutzung obdach offenbarung offenlegung öffentlichkeit ordnung pacht partei pass personal pfändung pflege pflicht plan planung
polizei portal post präsident praxis preis prozess prüfer prüfung quote rat recht rechnung referat
regelung register regierung rente residenz revision richter richtlinie risiko rücknahme rückstand rücktritt sache sachverhalt
sachverständige sachverständiger säumnis sammlung sanierung satzung schaden schein schlichtung schließung schuld schuldner
schule schutz senat sicherheit sicherstellung sicherung siegel sitz sitzung soldat sorge spende
sperre spielraum sprache staat stadt stand standort statistik statut stätte stelle steller stellung stellungnahme steuer stiftung
stilllegung störer störung strafe straße studium stundung täter tätigkeit tarif teilhabe termin titel träger trennung überleitung
übermittlung übernahme überprüfung übertragung überwachung umlage umlegung umsatz umwelt unfall unterbringung unterhalt unterlage
unterlassung untersagung untersuchung unterrichtung unterschrift unterstützung urheber urkunde urlaub urteil vater verantwortung
veränderung veranlagung veranstalter veranstaltung verarbeitung veräußerung verband verbindlichkeit verbot verbrauch verbraucher verbund
verdacht verein vereinbarung vererbung verfahren verfall verfassung verfolgung verfügung vergabe vergehen vergleich vergütung
vergünstigung verhältnis verhältnismäßigkeit verhalten verhandlung verjährung verkauf verkehr verkündung verlängerung verletzung verlust
verlöbnis vermeidung vermerk vermessung vermittlung vermögen vermutung veröffentlichung verordnung verpflichtung versagung versammlung
verschulden verschwiegenheit versicherung versicherte versorgung verstoß verteidiger verteidigung verteilung verträglichkeit vertrag
vertrauen vertreter vertretung verwahrung verwaltung verwandte verwarnung verweigerung verwendung verwertung verwirkung
verzeichnis verzicht verzug visum vollmacht vollstreckung vollziehung vollzug vorauszahlung vorbehalt vorbescheid vorfall vorhaben
vorkauf vorladung vorlage vormund vornahme vorrang vorsatz vorschlag vorschrift vorsitz vorsorge vorstand vorteil vorverfahren
waffe wahl wahrnehmung wald wasser wechsel wehr weisung werk wert wesen wettbewerb widerruf widerspruch widmung widrigkeit
wiedereinsetzung wiedergutmachung wirkung wirtschaft wohl wohnung würde zahl zahlung zeichen zeit zeuge zeugnis zins zoll
zugang zulage zulassung zurückweisung zusage zusammenarbeit zuschlag zuschuss zusicherung zuständigkeit zustellung zustimmung
zuteilung zuverlässigkeit zuweisung zuwendung zuwiderhandlung zuzug zwang zweck
`;

/** Old compounds whose parts no longer say what the whole means, words that only look like compounds, and names of places. */
export const OPAQUE_WORDS = `
abenteuer anwesen arbeitslos arbeitslose arbeitsloser aufstand augenblick auswärtig bahnhof beispiel bundestag bundesrat bürgersteig
demokratie diebstahl dienstag donnerstag eigenschaft eltern entgelt ereignis erdgeschoss fahrzeug feierabend fernmelde fernsehen
flugzeug fortschritt freitag friedhof frühling frühstück gasthof gaststätte gegend gegenwart geschwindigkeit gesellschaft
grundlage grundsatz grundstück gutschein gutschrift hauptmann haushalt hebamme heimat heirat herkunft herrschaft hochschule
hochzeit interesse jahrhundert jahrzehnt junggeselle kaufmann kindergarten königreich kreistag landrat landschaft landtag
landwirt landwirtschaft laufbahn lebensmittel leitfaden leumund lieferant maßgabe maßnahme maßstab maßregel mehrheit mehrwert minderheit
mittag mitternacht mittwoch montag mundart nachbar nachteil notwendigkeit obmann ostern partner personal pfingsten
rathaus rechtfertigung regelfall reichstag rundfunk reinhalte reißverschluss rückgang rücksicht ruhestand samstag sachverhalt schaffner
schriftsatz sonnabend sonntag spielraum sprichwort standard standort stillstand störfall tagebuch tatbestand tatsache teilnahme teilnehmer
umstand unterhalt unterkunft urlaub ursache vorgang vorwand vorwurf wahrheit wahrzeichen weihnachten weltanschauung werkstatt werkzeug
wettbewerb wirklichkeit wirtschaft wissenschaft wohlfahrt wohlstand zeitpunkt zeitschrift zeitraum zukunft zustand
zufall zwangslage handwerk handwerker schriftsteller wohnsitz vollmacht vollzug vollstreckung vollziehung anteilnahme eifersucht sehnsucht
abgrund angebot anlass antwort apotheke ausdruck ausmaß beamte bergwerk betrug bibliothek bistum
metropole monarchie methode kommentar kredit palast portal porträt pastor faktor sektor vektor motor doktor direktor senator
kontrolle kontrakt kontakt kontrast kombination generation operation dimension pension mission version redaktion rezension
fundament element dokument moment argument instrument experiment kompliment parlament testament zement
import export report transport resort ressort sport support passport komfort
bestand verstand widerstand abstand anstand beistand einstand gegenstand missstand notstand rückstand umstand
baden württemberg bayern berlin brandenburg bremen hamburg hessen mecklenburg vorpommern niedersachsen
nordrhein westfalen rheinland pfalz saarland sachsen anhalt schleswig holstein thüringen deutschland österreich frankreich england
russland niederlande griechenland dänemark schweden norwegen finnland portugal
augsburg aschaffenburg bamberg bielefeld bochum bonn braunschweig bremerhaven chemnitz cottbus darmstadt dortmund dresden duisburg
düsseldorf eisenach erfurt erlangen essen esslingen flensburg frankfurt freiburg fürstenwalde gelsenkirchen göttingen
greifswald hagen halberstadt halle hannover heidelberg heilbronn hildesheim ingolstadt jena karlsruhe kassel kiel koblenz köln krefeld
leipzig leverkusen lüneburg lübeck ludwigsburg ludwigshafen magdeburg mainz mannheim marburg merseburg mönchengladbach mühlheim mülheim
münchen münster naumburg neubrandenburg nürnberg oberhausen offenbach offenburg oldenburg oranienburg osnabrück paderborn passau pforzheim
potsdam quedlinburg ravensburg recklinghausen regensburg remscheid reutlingen rosenheim rostock rottenburg saarbrücken salzburg
salzgitter schweinfurt schwerin siegen solingen stralsund straubing stuttgart trier tübingen ulm weimar wiesbaden wittenberg wolfenbüttel
wolfsburg wuppertal würzburg zwickau
`;

/** First and middle parts that are no form of a listed noun. */
export const MORE_MODIFIERS = `
abgaben abwasser allgemein amts ausländer ausreise bau bundes binnen doppel einwohner einzel eltern erst europa fach fahr fernmelde
fremd gemeinde gesamt groß gross grund haupt hoch höchst innen jahres kfz kinder klein kraft kranken kur landes länder leit melde
mindest misch neben neu nieder ober online pflege probe regel reinhalte rechts sach schieß schiess schrift selbst sonder
sozial sperr staats stand stamm sterbe straf teil voll wahl wander wohn zeit zentral zivil
zusatz zwangs urkunds liefer hilfs schieds vorzugs körperschaft erbschaft versicherung zwischen außen aussen buß buss miet pacht privat digital kommunal regional national international bürger
`;

/** Adjectives that end compounds. */
export const ADJECTIVE_HEADS = `
abhängig ähnlich angehörig anfällig anhängig ausländisch bedingt bedürftig begründend behördlich berechtigt bereit bereinigt betont
betrieblich bewehrt bezogen bezüglich dienstlich einheitlich fachlich fähig fällig feindlich finanziert fremd
freundlich führend gebunden gefährdend gefährdet gefährlich geeignet gemeindlich gemeinschaftlich genau gerecht gerichtlich
geschäftlich gesetzlich gestützt gesundheitlich gewerblich gültig günstig hoheitlich innerstaatlich intensiv intern konform
kundig maßgebend maßgeblich medizinisch mindernd offen ordnungsgemäß orientiert persönlich pflichtig pflichtwidrig
planerisch politisch polizeilich praktisch rechtlich rechtswidrig relevant richterlich schädlich schonend schuldig
sicher spezifisch staatlich steuerlich strafrechtlich tätig tauglich technisch treu trächtig typisch üblich übergreifend
unabhängig unfähig unmittelbar untauglich unwürdig verbindlich verdächtig verfahrensrechtlich verletzend verpflichtet verpflichtend verständlich
verträglich vertraglich verwaltungsrechtlich völkerrechtlich wert wesentlich widrig willig wirksam wirtschaftlich würdig
zeitlich zivilrechtlich zuständig zweckmäßig
`;
