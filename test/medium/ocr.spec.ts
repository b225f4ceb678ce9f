import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pdfOfScans, scanOf } from '../../bench/ocr/scans.mjs';
import { WorkerParser, type ParserOptions } from '../../src/adapters/parsers/worker-parser.js';
import type { OcrProgress } from '../../src/modules/documents/document-parser.port.js';
import { shown } from '../fixtures/parsing.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const MEGABYTE = 1_048_576;
const OCR = {
  languages: ['deu', 'eng'],
  workers: 1,
  memoryMb: 768,
  maxPages: 200,
  pageMs: 600_000,
  dpi: 300,
  maxPixels: 40_000_000,
  leastConfidence: 60,
};
const OPTIONS: ParserOptions = {
  root,
  workers: 1,
  memoryMb: 256,
  timeoutMs: 60_000,
  maxFileBytes: 100 * MEGABYTE,
  maxTextCharacters: 10 * MEGABYTE,
  ocr: OCR,
};
const never = new AbortController().signal;

const BESCHEID = [
  '# Bescheid über die Baugenehmigung',
  '',
  'Für das Grundstück Äußere Königstraße 5 in Nürnberg wird hiermit die Geneh-',
  'migung erteilt. Sie gilt für die Dauer von drei Jahren ab dem Tag der Zustellung',
  'dieses Bescheides.',
  '',
  '# § 35 Begriff des Verwaltungsaktes',
  '',
  'Verwaltungsakt ist jede Verfügung, Entscheidung oder andere hoheitliche Maß-',
  'nahme, die eine Behörde zur Regelung eines Einzelfalls trifft (§ 35 Satz 1 VwVfG).',
];

const DAYS = ['Montag', 'Dienstag', 'Mittwoch', 'Donnerstag', 'Freitag', 'Samstag', 'Sonntag'];
const MONTHS = 'Januar Februar März April Mai Juni Juli August September Oktober November Dezember'.split(' ');

import.meta.jest.setTimeout(900_000);

describe('recognition of pictures', () => {
  let folder: string;
  const opened: WorkerParser[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-ocr-'));
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((parser) => parser.close()));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function open(options: ParserOptions): WorkerParser {
    const parser = new WorkerParser(options);
    opened.push(parser);
    return parser;
  }

  async function parse(
    content: Buffer,
    {
      filename = 'scan.pdf',
      ocr = {},
      heard,
      ...options
    }: {
      filename?: string;
      heard?: (progress: OcrProgress) => void;
      ocr?: Partial<typeof OCR> | null;
    } & Partial<Omit<ParserOptions, 'ocr'>> = {},
  ) {
    const path = join(folder, filename);
    await writeFile(path, content);
    return open({ ...OPTIONS, ...options, ocr: ocr && { ...OCR, ...ocr } }).parse({ path, filename }, never, heard);
  }

  it('a scanned page gives headings and paragraphs, its words whole and its umlauts right', async () => {
    const progress: OcrProgress[] = [];
    const document = await parse(await pdfOfScans([scanOf(BESCHEID)]), { heard: (step) => progress.push(step) });
    expect(shown(document.blocks)).toEqual([
      'h1 Bescheid über die Baugenehmigung',
      'p Für das Grundstück Äußere Königstraße 5 in Nürnberg wird hiermit die Genehmigung erteilt. Sie gilt für die Dauer von drei Jahren ab dem Tag der Zustellung dieses Bescheides.',
      'h1 § 35 Begriff des Verwaltungsaktes',
      'p Verwaltungsakt ist jede Verfügung, Entscheidung oder andere hoheitliche Maßnahme, die eine Behörde zur Regelung eines Einzelfalls trifft (§ 35 Satz 1 VwVfG).',
    ]);
    expect(document).toMatchObject({ kind: 'pdf', pages: 1, warnings: [], metadata: { ocr_pages: '1' } });
    expect(Number(document.metadata['ocr_confidence'])).toBeGreaterThan(85);
    expect(document.blocks.every(({ ocr, page }) => page === 1 && Number(ocr) > 85)).toBe(true);
    expect(progress).toEqual([
      { done: 0, of: 1 },
      { done: 1, of: 1 },
    ]);
  });

  const text = { text: ['Diese Seite hat einen Text, und sie bleibt, wie sie ist.'] };
  const scan = (...lines: string[]): Buffer => scanOf(lines, { dpi: 100 });
  const noise = scanOf([], { dpi: 100, specks: 0.2 });

  it('only pages without text are recognised; blank and unreadable ones are named', async () => {
    const pages = await pdfOfScans([text, scan('Die Anhörung der Beteiligten ist nachzuholen.'), null, noise]);
    const document = await parse(pages);
    expect(document.blocks).toEqual([
      { kind: 'paragraph', text: text.text[0], page: 1 },
      { kind: 'paragraph', text: 'Die Anhörung der Beteiligten ist nachzuholen.', page: 2, ocr: expect.any(Number) },
    ]);
    expect(document.metadata).toMatchObject({ ocr_pages: '2' });
    expect(document.warnings).toEqual([
      expect.stringContaining('no text layer, page 3: it shows no picture'),
      expect.stringMatching(/no text layer, page 4: it is (?:unreadable|a picture without text)/),
    ]);
  });

  it('what lies below the confidence that is asked for is not taken, and says which it has', async () => {
    await expect(
      parse(await pdfOfScans([scan('Die Anhörung')]), { ocr: { leastConfidence: 100 } }),
    ).rejects.toMatchObject({
      reason: 'no_text',
      message: expect.stringMatching(/page 1: it is unreadable: .* confidence of \d+, the least is 100/),
    });
  });

  it('switched off, it says how to switch it on', async () => {
    await expect(parse(await pdfOfScans([noise]), { ocr: null })).rejects.toMatchObject({
      reason: 'no_text',
      message: expect.stringContaining('CLARA_OCR=on'),
    });
    const { warnings } = await parse(await pdfOfScans([text, noise]), { ocr: null });
    expect(warnings).toEqual([expect.stringMatching(/no text layer, page 2: .*CLARA_OCR=on/)]);
    await expect(parse(noise, { ocr: null, filename: 'bild.png' })).rejects.toMatchObject({
      message: expect.stringContaining('CLARA_OCR=on'),
    });
  });

  it('pictures are documents of one page; damaged and too large ones are refused', async () => {
    const picture = scanOf(['Der Widerspruch ist zulässig und begründet.'], { dpi: 100, format: 'jpeg' });
    const document = await parse(picture, { filename: 'scan.jpg' });
    expect(document).toMatchObject({ kind: 'jpg', pages: 1, metadata: { ocr_pages: '1' } });
    expect(document.blocks[0]?.text).toBe('Der Widerspruch ist zulässig und begründet.');
    await expect(parse(picture.subarray(0, 100), { filename: 'halb.jpg' })).rejects.toMatchObject({ reason: 'broken' });
    await expect(parse(noise.subarray(0, 9000), { filename: 'halb.png' })).rejects.toMatchObject({ reason: 'no_text' });
    await expect(parse(noise, { filename: 'gross.png', ocr: { maxPixels: 1000 } })).rejects.toMatchObject({
      reason: 'too_large',
    });
  });

  it('a page that takes too long is named, and the others go on', async () => {
    const document = await parse(await pdfOfScans([text, scan('Die Anhörung')]), { ocr: { pageMs: 1 } });
    expect(document.warnings).toEqual([expect.stringMatching(/page 2: it could not be recognised: .* 0.001 s/)]);
    expect(document.blocks).toHaveLength(1);
  });

  it('more memory than allowed ends the process; what has a text keeps it', async () => {
    const ocr = { memoryMb: 90 };
    await expect(parse(await pdfOfScans([scan('Die Anhörung')]), { ocr })).rejects.toMatchObject({ reason: 'memory' });
    const { blocks, warnings } = await parse(await pdfOfScans([text, scan('Die Anhörung')]), { ocr });
    expect(blocks).toHaveLength(1);
    expect(warnings[0]).toMatch(/1 page\(s\) without a text layer were not recognised: .*memory/);
  });

  it('a reading that is called off ends at once, and the next is served', async () => {
    const path = join(folder, 'abbruch.pdf');
    await writeFile(path, await pdfOfScans([scanOf(BESCHEID), scanOf(BESCHEID)]));
    const parser = open(OPTIONS);
    const off = new AbortController();
    const reading = parser.parse({ path, filename: 'abbruch.pdf' }, off.signal, () =>
      off.abort(new Error('called off')),
    );
    await expect(reading).rejects.toThrow('called off');
    await writeFile(path, await pdfOfScans([text]));
    expect((await parser.parse({ path, filename: 'text.pdf' }, never)).blocks).toHaveLength(1);
  });

  it('thirty pages stay within the memory of the process; those beyond the most are named', async () => {
    const pages = Array.from({ length: 31 }, (_, at) => scan(`Am ${DAYS[at % 7]} im ${MONTHS[at % 12]} tagt der Rat.`));
    const document = await parse(await pdfOfScans(pages), { ocr: { maxPages: 30, memoryMb: 384 } });
    expect(document.metadata).toMatchObject({ ocr_pages: '1-30' });
    expect(new Set(document.blocks.map(({ page }) => page)).size).toBe(30);
    expect(document.warnings).toEqual([expect.stringContaining('1 more pages without a text layer')]);
  });
});
