import {
  bescheidPages,
  documentFixture,
  goodFiles,
  odtOf,
  pdfOf,
  zipOf,
} from '../../../test/fixtures/document-files.js';
import { ParsingFolder, shown } from '../../../test/fixtures/parsing.js';
import { documentKinds, type TextKind } from '../../modules/documents/document-parser.port.js';

const BESCHEID = [
  'h1 Bescheid über die Baugenehmigung',
  'p Sehr geehrte Frau Müßig, für das Grundstück Äußere Königstraße 5 wird die Genehmigung „Anbau“ erteilt – sie gilt drei Jahre.',
];

/** What each good file must give, in order; other blocks may stand between. */
const expected: Readonly<Record<TextKind, readonly string[]>> = {
  pdf: [
    'h1 Bescheid über die Baugenehmigung',
    'p Für das Grundstück Äußere Königstraße 5 in Nürnberg wird hiermit die Baugenehmigung erteilt, und sie gilt für die Dauer von drei Jahren ab dem Tag der Zustellung dieses Bescheides.',
    'h2 § 35 Begriff des Verwaltungsaktes',
    'p Verwaltungsakt ist jede Verfügung einer Behörde zur Regelung eines Einzelfalls.',
  ],
  docx: [
    'h1 Bescheid über die Baugenehmigung',
    'p Für das Grundstück Äußere Königstraße',
    'h2 § 35 Begriff des Verwaltungsaktes',
    '- Größe: 120 m²',
    'row Gebühr: Prüfung; Betrag: 150 €',
  ],
  doc: [
    BESCHEID[1] ?? '',
    'h5 § 35 Begriff des Verwaltungsaktes',
    'p Größe: 120 m²',
    'row Gebühr: Prüfung; Betrag: 150 €',
    'p Fußnote zur Verfügung',
  ],
  xlsx: ['h1 Gebühren', 'row Straße: Äußere Königstraße; Gebühr: 150', 'row Straße: Mühlweg; Gebühr: 80'],
  xls: [
    'h1 Gebühren',
    'row Straße: Äußere Königstraße; Gebühr: 150.5',
    'row Straße: Mühlweg; Gebühr: 80',
    'h1 Prüfer',
    'row Groß',
  ],
  pptx: ['h1 Anhörung Beteiligter', 'p Gelegenheit zur Äußerung'],
  odt: [...BESCHEID, 'h2 § 35 Begriff des Verwaltungsaktes', '- Größe: 120 m²', 'row Gebühr: Prüfung; Betrag: 150 €'],
  html: [
    'h1 Baugenehmigung beantragen',
    'p Für die Äußere Königstraße & Umgebung gilt:',
    'h2 Unterlagen',
    '- 1. Größe des Grundstücks',
    '- 2. Pläne',
    'row Gebühr: Prüfung; Betrag: 150 €',
  ],
  md: [
    'h1 Verwaltungsverfahrensgesetz',
    'h2 § 35 Begriff des Verwaltungsaktes',
    'p Verwaltungsakt ist jede Verfügung, die eine Behörde trifft.',
    '- 1. Größe',
    '- 2. Höhe',
    'row Gebühr: Prüfung; Betrag: 150 €',
  ],
  txt: [
    'h5 § 35 Begriff des Verwaltungsaktes',
    'p Verwaltungsakt ist jede Verfügung, Entscheidung oder andere hoheitliche Maßnahme, die eine Behörde zur Regelung eines Einzelfalls trifft.',
    'p Grüße aus Nürnberg',
  ],
  csv: ['row Straße: Äußere Königstraße; Gebühr: 150', 'row Straße: Mühlweg; hinten; Gebühr: 80'],
  tsv: ['row Straße: Äußere Königstraße; Gebühr: 150'],
  json: ['p titel: Gebühren', 'h1 liste', 'row straße: Äußere Königstraße; gebühr: 150'],
  xml: ['h1 Verwaltungsverfahrensgesetz', 'row paragraf: 35; text: Verfügung der Behörde', 'p Die Größe der Äcker'],
  eml: [
    'h1 Antrag für Straße',
    'p Sehr geehrte Damen und Herren,',
    'p ich beantrage die Genehmigung für die Äußere Königstraße.',
  ],
  rtf: [
    ...BESCHEID,
    'h2 § 35 Begriff des Verwaltungsaktes',
    'p Verwaltungsakt ist jede Verfügung (Fußnote zur Verfügung), die eine Behörde zur Regelung eines Einzelfalls trifft.',
    'row Gebühr: Prüfung; Betrag: 150 €',
  ],
};

describe('the parsers', () => {
  let folder: ParsingFolder;
  beforeAll(async () => {
    folder = await ParsingFolder.make();
  });
  afterAll(() => folder.remove());

  it.each(documentKinds)('%s: text, headings, lists, tables and umlauts, in order', async (kind) => {
    const document = await folder.parse(await goodFiles[kind](), `datei.${kind}`);
    const lines = shown(document.blocks);
    expect(document.kind).toBe(kind);
    expect(lines.filter((line) => expected[kind].includes(line))).toEqual(expected[kind]);
  });

  it('tell title, author and pages', async () => {
    const [word, text, mail, law, pdf] = await Promise.all([
      folder.parse(await goodFiles.docx(), 'a.docx'),
      folder.parse(await goodFiles.odt(), 'a.odt'),
      folder.parse(await goodFiles.eml(), 'a.eml'),
      folder.parse(await goodFiles.md(), 'a.md'),
      folder.parse(await goodFiles.pdf(), 'a.pdf'),
    ]);
    expect([word.title, text.title, mail.title, law.title, pdf.title]).toEqual([
      'Bescheid über die Genehmigung',
      'Bescheid über die Genehmigung',
      'Antrag für Straße',
      'Verwaltungsverfahrensgesetz',
      'Bescheid über die Genehmigung',
    ]);
    expect(word.metadata['creator']).toBe('Jürgen Groß');
    expect(mail.metadata['from']).toBe('Jürgen Groß <gross@example.de>');
    expect(law.metadata['jurabk']).toBe('VwVfG');
    expect([pdf.pages, word.pages]).toEqual([2, null]);
  });

  it('a page of a PDF without a text layer is a warning, a PDF of such pages is refused', async () => {
    const document = await folder.parse(await goodFiles.pdf(), 'a.pdf');
    expect(document.warnings).toEqual([expect.stringContaining('no text layer, page 2')]);
    const refusal = await folder.refusal(await pdfOf([[], []]), 'scan.pdf');
    expect(refusal).toMatchObject({ reason: 'no_text', message: expect.stringContaining('any of the 2 page(s)') });
  });

  it('the running head and the page number of a PDF are left out', async () => {
    const head = { text: 'Stadt Nürnberg - Bauamt', y: 820 };
    const pages = [1, 2, 3, 4].map((page) => [
      head,
      { text: `Dieser Satz steht auf der Seite mit der Nummer ${'ABCD'[page - 1]} und sonst nirgends.`, y: 700 },
      { text: `Ein zweiter Satz über ${'ÄÖÜß'[page - 1]} steht darunter auf derselben Seite.`, y: 600 },
      { text: `Seite ${page} von 4`, y: 30 },
    ]);
    const lines = shown((await folder.parse(await pdfOf(pages), 'a.pdf')).blocks);
    expect(lines).toHaveLength(8);
    expect(lines.join('\n')).not.toMatch(/Bauamt|Seite \d/);
  });

  it('what protects itself by a password says so', async () => {
    for (const name of ['encrypted.docx', 'encrypted.pdf'])
      expect(await folder.refusal(await documentFixture(name), name)).toMatchObject({ reason: 'encrypted' });
    const odt = zipOf({
      mimetype: 'application/vnd.oasis.opendocument.text',
      'META-INF/manifest.xml': '<m:manifest xmlns:m="m"><m:encryption-data/></m:manifest>',
      'content.xml': 'ciphertext',
    });
    expect(await folder.refusal(odt, 'a.odt')).toMatchObject({ reason: 'encrypted' });
  });

  it('a workbook and slides of another program', async () => {
    const sheet = await folder.parse(await documentFixture('gebuehren.xlsx'), 'a.xlsx');
    expect(shown(sheet.blocks)).toContain('row Straße: Äußere Königstraße; Gebühr: 150.5');
    const slides = await folder.parse(await documentFixture('folien.pptx'), 'a.pptx');
    expect(shown(slides.blocks)).toEqual([
      'h1 Anhörung Beteiligter',
      '- Gelegenheit zur Äußerung',
      '- Ausnahmen nach § 28 VwVfG',
      '> Notiz für die Schüler',
      'h1 Überblick',
      'p Größe des Ermessens',
    ]);
    expect(slides.pages).toBe(2);
  });

  it('an attachment is named, not read', async () => {
    const mail = await folder.parse(await goodFiles.eml(), 'a.eml');
    expect(mail.warnings).toEqual([expect.stringContaining('"Plan.pdf"')]);
  });

  it('a name that promises another kind is a warning', async () => {
    const document = await folder.parse(await goodFiles.docx(), 'bescheid.pdf');
    expect(document.kind).toBe('docx');
    expect(document.warnings[0]).toBe('named as pdf, but its content is docx; read as that');
  });

  it('JSON lines: a line that is none is left out and named', async () => {
    const document = await folder.parse('{"frage":"Größe?"}\n{"frage":"Höhe?"}\n{"frage":\n', 'a.jsonl');
    expect(shown(document.blocks)).toEqual(['row frage: Größe?', 'row frage: Höhe?']);
    expect(document.warnings).toEqual(['line 3 is not JSON; it was left out']);
  });

  it('RTF: code pages, \\u with its fallback, and pictures left out', async () => {
    const rtf =
      String.raw`{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}{\f1\fcharset204 Arial;}}{\*\generator X;}` +
      String.raw`{\pict\pngblip 89504e47}\f0 Stra\'dfe f\u252 ?r {\uc2 \u8364 EU}uro {\f1 \'cf\'f0\'e8} \emdash  \u-10179?\u-8704? Ende\par}`;
    expect(shown((await folder.parse(rtf, 'a.rtf')).blocks)).toEqual(['p Straße für €uro При — 😀 Ende']);
  });

  it('a text that is much larger unpacked than allowed is too large', async () => {
    const bomb = odtOf(`<text:p>${'a'.repeat(3_000_000)}</text:p>`);
    expect(bomb.length).toBeLessThan(20_000);
    expect(await folder.refusal(bomb, 'a.odt', 1_048_576)).toMatchObject({ reason: 'too_large' });
    expect(
      await folder.refusal(Buffer.concat([await pdfOf(bescheidPages), Buffer.alloc(2_000_000)]), 'a.pdf', 1_048_576),
    ).toMatchObject({
      reason: 'too_large',
    });
  });
});
